"""fal's smart-resize in its own words: requests, results, statuses, errors, webhooks."""
