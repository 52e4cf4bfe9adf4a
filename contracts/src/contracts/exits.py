"""What a service's exit code tells who starts it. Imports nothing: the supervisor reads it, too."""

UNUSABLE_SETTINGS = 2
"""It can't run with its settings; its last line says what to change. A new try changes nothing."""
