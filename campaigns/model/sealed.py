"""Sealed: rows that keep a secret encrypted by DATA_KEYS."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from campaigns import crypto
from campaigns.crypto import DataKeys


class Sealed:
    """`bound` says where the secret stands: in another row it cannot be opened."""

    sealed: Mapped[str] = mapped_column(Text)

    @property
    def bound(self) -> str:
        raise NotImplementedError

    def seal(self, data_keys: DataKeys, secret: bytes) -> None:
        """Keep a secret, encrypted by the newest key."""
        self.sealed = crypto.encrypt(data_keys, secret, self.bound)

    def unsealed(self, data_keys: DataKeys) -> bytes:
        """Raises `crypto.Undecryptable`."""
        return crypto.decrypt(data_keys, self.sealed, self.bound)
