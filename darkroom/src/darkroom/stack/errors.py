"""What the stack says when it can't go on: one line for a person, with what to do next."""


class StackError(Exception):
    """The stack can't start or can't continue; the message is one line and says what to do."""
