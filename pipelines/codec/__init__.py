"""Bytes to an upright sRGB picture, and back."""
