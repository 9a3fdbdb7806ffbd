"""SDXL inpainting with a denoising loop of our own: from a canvas to a painted picture."""
