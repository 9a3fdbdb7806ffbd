"""The preview engine: composition and fill without weights, GPU or torch."""
