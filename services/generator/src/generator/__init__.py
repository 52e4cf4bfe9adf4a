"""One request in, progress and one outcome out; the providers live here."""
