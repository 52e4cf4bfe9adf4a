"""Real pictures on the CPU: no key, no model, no network.

`generator.studio.provider` runs in the generator's process and stays light. Everything that imports
NumPy or OpenCV runs in the worker processes that `generator.studio.pool` starts.
"""
