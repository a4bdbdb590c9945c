"""The review app: read what a run published, write what people decide. Server-rendered, offline, keyboard-first."""
