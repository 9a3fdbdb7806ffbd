"""Who may ask: API keys and what each of them may use."""
