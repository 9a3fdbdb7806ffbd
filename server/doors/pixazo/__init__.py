"""Pixazo's Smart Resize: what is asked for, how a request stands, how errors are worded."""

MODEL = "pixazo/smart-resize"
"""Its jobs' model."""
