"""Every exception that freshrec raises on purpose, under one root.

A message says what was seen, what was expected and what to do next. A bad event is a value
(`schemas.codec.Rejected`), never an exception.
"""


class FreshrecError(Exception):
    """Root of all errors of this project."""


class SettingsError(FreshrecError):
    """A setting is unknown or has a value that cannot be used."""


class BrokerError(FreshrecError):
    """The Kafka broker cannot be reached, or answered with a refusal."""


class StateError(FreshrecError):
    """A state directory cannot be opened, belongs to something else, or lacks what is needed."""


class FormatError(FreshrecError):
    """A file is not of the format that was named."""


class NotFoundError(FreshrecError):
    """The customer, item or segment that was asked for is not known."""


class DeliveryError(FreshrecError):
    """An output could not be delivered; the process must end so that it is produced again."""


class GapError(StateError):
    """Records between two stages are missing; applying what follows would give a wrong count."""


class SnapshotError(StateError):
    """A snapshot is damaged, incomplete, or of something else."""


class StorageError(FreshrecError):
    """The place where snapshots are kept cannot be read or written."""


class EpochError(StateError):
    """A stage above began anew and this one did not: it would count everything twice."""
