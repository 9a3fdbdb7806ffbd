"""FASHN's reframe: what a run asks for, what its prediction says, how errors are worded."""

MODEL = "fashn/reframe"
"""Its jobs' model."""
