"""Files that are encrypted by PGP: opened as they come, sealed as they go, by the program gpg."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from connectors._file_names import ENCRYPTED
from connectors._file_packed import Unpacking, copied, copying, spare_file
from connectors._gpg import CODE, MISSING, PIECE, Ended, Keyring, is_installed
from connectors.base import ConnectorError, Field, FileFault, FilesError, MachineError, PermanentError, StoppedError

_KEYS = (Field("", "file"),)
OPENING = (
    Field("key", "secret", "The private key they are encrypted for, as gpg --armor --export-secret-keys prints it.",
          required=True),
    Field("passphrase", "secret", "The passphrase of the key, where it has one."),
    Field("signed_by", "list", "The public keys (.asc files below schemas/, as gpg --armor --export prints them) of "
          "those of whom one must have signed, and of what is not encrypted nobody has; without it nobody needs to.",
          fields=_KEYS),
)  # fmt: skip
SEALING = (
    Field("to", "list", "The public keys (.asc files below schemas/, as gpg --armor --export prints them) of those who "
          "can read it.", required=True, fields=_KEYS),
    Field("sign", "secret", "The private key that signs it, as gpg --armor --export-secret-keys prints it; without it "
          "nobody does."),
    Field("passphrase", "secret", "The passphrase of that, where it has one."),
    Field("armor", "boolean", "Whether it is written as text.", default=False),
)  # fmt: skip

_PUBLIC, _PRIVATE = b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----BEGIN PGP PRIVATE KEY BLOCK-----"
_BAD_SIGNATURES = {
    "BADSIG": "its signature is not of what is in it; have it sent again",
    "EXPSIG": "its signature is over by now; have it signed anew",
    "EXPKEYSIG": "the key that signed it is over by now; write down the one that its owner has prolonged, or the next",
    "REVKEYSIG": "the key that signed it was revoked by its owner; write the next one into signed_by",
    "ERRSIG": "who signed it is not among signed_by",
    "GOODSIG": "who signed it is not among signed_by",
}
UNSIGNED = "it is not signed, and must be (signed_by)"
_RECIPIENTS = {"3": "it is not one to encrypt for", "4": "it was revoked", "5": "it is over by now"}


def is_encrypted(name: str) -> bool:
    """Whether a name is one of a file encrypted by PGP."""
    return name.lower().endswith(ENCRYPTED)


def without_ending(name: str) -> str:
    """The name of what is in it."""
    return name[: name.rindex(".")] if is_encrypted(name) else name


class Opening:
    """``fetch.pgp``: what decrypts."""

    def __init__(self, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        self._signers = tuple(settings.get("signed_by") or ())
        self.wants_signed = bool(self._signers)
        self._keyring = Keyring(
            "fetch.pgp.key",
            settings["key"],
            settings.get("passphrase") or "",
            {n: files.get(n, b"") for n in self._signers},
        )

    @classmethod
    def of(cls, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Opening | None:
        """By the settings of ``fetch``; None where they say nothing of it."""
        return cls(settings["pgp"], config.get("files") or {}) if settings["pgp"] else None

    def open(self) -> None:
        """Before any file is touched. Raises StoppedError where none could be decrypted."""
        self._keyring.open()

    def decrypted(
        self, chunks: Iterator[bytes], size: int, unpacking: Unpacking, keep: Callable[[], None]
    ) -> Generator[bytes, None, None]:
        """What was encrypted into ``size`` bytes, in pieces; nothing before all of it has proved to be whole, and to be
        signed by whom it must be. ``keep`` is called after each. Raises PermanentError for what cannot be decrypted."""
        with spare_file() as sealed, spare_file() as plain:
            copied(chunks, sealed)
            grown = 0

            def take(piece: bytes) -> None:
                nonlocal grown
                grown += len(piece)
                unpacking.check(grown, size)
                with copying():
                    plain.write(piece)
                keep()

            more = () if self._signers else ("--skip-verify",)
            self._judge(self._keyring.run([*more, "--decrypt"], sealed, take))
            with copying():
                plain.seek(0)
            while piece := plain.read(PIECE):
                yield piece
                keep()

    def faults(self) -> list[str]:
        return _faults(self.open)

    def close(self) -> None:
        self._keyring.close()

    def _judge(self, ended: Ended) -> None:
        if not ended.words("DECRYPTION_OKAY"):
            self._keyring.try_key()  # else it would not be the file's fault
            raise PermanentError(_unread(ended))
        if self._signers and (reason := self._unsigned(ended)):
            raise PermanentError(reason)
        if ended.code and not ended.words("ERRSIG"):  # beside a good one another may be of a key that nobody here has
            raise PermanentError(f"gpg did not read it to its end (exit code {ended.code}); have it sent again")

    def _unsigned(self, ended: Ended) -> str:
        """What is wrong with its signatures; empty where one is good and of a key that it may be of."""
        known = {fingerprint for file in self._signers for fingerprint in self._keyring.fingerprints(file)}
        last = ""
        for keyword, words in ended.said:
            if keyword in _BAD_SIGNATURES:
                last = keyword
            elif keyword == "VALIDSIG" and last == "GOODSIG" and words[-1] in known:
                return ""
        return _BAD_SIGNATURES.get(last, UNSIGNED)


class Sealing:
    """``send.pgp``: what encrypts, and signs."""

    def __init__(self, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        self._to, self._armor = tuple(settings["to"]), bool(settings.get("armor"))
        self._keyring = Keyring(
            "send.pgp.sign",
            settings.get("sign") or "",
            settings.get("passphrase") or "",
            {n: files.get(n, b"") for n in self._to},
        )

    @classmethod
    def of(cls, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Sealing | None:
        """By the settings of ``send``; None where they say nothing of it."""
        return cls(settings["pgp"], config.get("files") or {}) if settings["pgp"] else None

    def sealed(self, body: bytes) -> bytes:
        """It encrypted: never the same twice. Raises StoppedError where a key cannot be used."""
        self._keyring.open()
        arguments = ["--armor"] if self._armor else []
        for file in self._to:
            for fingerprint in self._keyring.fingerprints(file):
                arguments += ["--recipient", fingerprint]
        for fingerprint in self._keyring.own[:1]:
            arguments += ["--local-user", fingerprint, "--sign"]
        made: list[bytes] = []
        with spare_file() as plain:
            copied([body], plain)
            ended = self._keyring.run([*arguments, "--encrypt"], plain, made.append)
        if ended.code or not ended.words("END_ENCRYPTION"):
            raise StoppedError(self._unsealed(ended), CODE)
        return b"".join(made)

    def faults(self) -> list[str]:
        return _faults(lambda: self.sealed(b""))

    def close(self) -> None:
        self._keyring.close()

    def _unsealed(self, ended: Ended) -> str:
        if ended.words("INV_SGNR"):
            return "send.pgp.sign: gpg cannot sign with it: it is over by now, was revoked, or is none to sign with"
        for reason, *names in ended.words("INV_RECP"):
            files = [file for file in self._to if names and names[0] in self._keyring.fingerprints(file)]
            why = _RECIPIENTS.get(reason, "it is over by now, was revoked, or is not one to encrypt for")
            return f"{files[0] if files else 'send.pgp.to'}: gpg cannot encrypt for this key: {why}"
        return f"send.pgp: gpg could not encrypt (exit code {ended.code})"


def _faults(attempt: Callable[[], object]) -> list[str]:
    try:
        attempt()
    except ConnectorError as error:
        return [str(error)]
    return []


def _unread(ended: Ended) -> str:
    """Why a file was not decrypted."""
    if ended.words("NEED_PASSPHRASE_SYM"):
        return "it is encrypted by a password; have it encrypted for the key of this system"
    if ended.words("ENC_TO") and not ended.words("DECRYPTION_INFO"):
        keys = ", ".join(dict.fromkeys(words[0] for words in ended.words("ENC_TO")))
        return f"it is encrypted for another key ({keys[:200]}) than that of this system"
    if any(words[0] == "0" and words[2:] in ((), ("0",)) for words in ended.words("DECRYPTION_INFO")):
        return "nothing in it tells whether it was changed on its way (MDC); have it encrypted by a newer program"
    if ended.words("PLAINTEXT") and not ended.words("BEGIN_DECRYPTION"):
        return "it is not encrypted; have it encrypted, or take pgp: out"
    if not ended.words("BEGIN_DECRYPTION"):
        return "it is no file encrypted by PGP, or cut off; have it sent again"
    return "it is damaged or cut off; have it sent again"


def lint_opening(fetch: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings of ``fetch`` that cannot be."""
    signers = (fetch["pgp"] or {}).get("signed_by")
    if signers is not None and not signers:
        raise PermanentError("fetch.pgp.signed_by: expected a file or more; leave it out where nobody needs to sign")


def lint_sealing(send: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings of ``send`` that cannot be."""
    pgp = send["pgp"]
    if not pgp:
        return
    if not pgp["to"]:
        raise PermanentError("send.pgp.to: expected the file of a public key, or more of them")
    if pgp.get("passphrase") and not pgp.get("sign"):
        raise PermanentError("send.pgp.passphrase: there is no sign: that it could belong to")
    if "{key}" not in send["name"]:
        text = "what is encrypted differs at each try, so that its name alone tells whether it was written"
        raise PermanentError(f"send.name: {text}; write {{key}} into it, e.g. {{key}}.csv.pgp")


def inspect_pgp(config: Mapping[str, Any]) -> None:
    """What can be known of the keys in files. Raises FilesError, MachineError where gpg is missing."""
    files = config.get("files") or {}
    for group, name in (("fetch", "signed_by"), ("send", "to")):
        pgp = (config.get(group) or {}).get("pgp")
        if not pgp:
            continue
        _inspect(f"{group}.pgp.{name}", pgp.get(name) or (), files)
        if not is_installed():
            raise MachineError(f"{group}.pgp: {MISSING}")


def _inspect(setting: str, names: Sequence[str], files: Mapping[str, bytes]) -> None:
    for name in names:
        if _PRIVATE in files[name]:
            text = (
                "a private key lies open in the project; take it out, and write the public one (gpg --armor --export)"
            )
            raise FilesError(setting, [FileFault(name, 1, text)])
        if _PUBLIC not in files[name]:
            text = f"expected a public key as gpg --armor --export prints it, with {_PUBLIC.decode()}"
            raise FilesError(setting, [FileFault(name, 1, text)])
