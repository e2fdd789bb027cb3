"""What holds for all tests."""

import signal

from hypothesis import HealthCheck, settings

# A shell starts what runs beside it with SIGINT ignored, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long something takes says how busy a machine is, and nothing about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
