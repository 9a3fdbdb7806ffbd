"""The door of fal's smart-resize: runs, the queue, uploads, the proxy, the key of the webhooks."""
