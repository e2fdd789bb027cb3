"""What holds for all tests."""

import signal

# A shell starts what runs beside it with SIGINT ignored, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
