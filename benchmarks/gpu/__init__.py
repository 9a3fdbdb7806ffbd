"""What a card makes of the generative engine, in ratios within one run.

``python -m benchmarks.gpu`` makes full-size models with random weights where they run: they are as
fast as trained ones, and paint nothing that could be looked at. ``--tiny`` runs the same script
with tiny models on any machine, to show that it works; its numbers mean nothing.
"""
