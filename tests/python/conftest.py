"""What holds for every test of the Python package."""

import signal

# A shell starts what runs in its background with SIGINT ignored, and so would be what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
