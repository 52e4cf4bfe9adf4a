"""ComfyUI: a server of one's own that runs graphs of nodes."""
