"""Telling the caller that a job has ended: what is sent, signed how, and what came of it."""
