"""A describer that reads the picture with Qwen3-VL: words, subjects and boxes."""
