"""HTTP: routes that parse, ask the queue and render; no torch, no pixels, no workflow code."""
