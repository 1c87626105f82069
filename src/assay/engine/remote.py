"""Files behind an address such as ``s3://bucket/rows.jsonl``, copied once to a folder that goes when we do."""

from __future__ import annotations

import functools
import glob
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assay.core.errors import EngineError, InputError, MissingExtra

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WEB = ("http", "https")
# What each protocol needs beside fsspec itself, and the extra that brings it.
_PACKAGES = {
    "s3": ("s3fs", "remote"),
    "gs": ("gcsfs", "remote"),
    "http": ("aiohttp", "remote"),
    "https": ("aiohttp", "remote"),
    "hf": ("huggingface_hub", "hub"),
}
# Errors of the libraries below fsspec that are neither OSError nor ValueError.
_FOREIGN = (
    ("botocore.exceptions", "BotoCoreError"),
    ("aiohttp", "ClientError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
    ("httpx", "HTTPError"),
)


def is_address(argument: str) -> bool:
    """Whether an argument is an address rather than a path."""
    return _ADDRESS.match(argument) is not None


def file_name(address: str) -> str:
    """The last part of an address, without what follows a question mark on the web."""
    is_web = address.split("://")[0].lower() in _WEB
    return PurePosixPath(urlsplit(address).path if is_web else address).name


def listed(address: str) -> Iterator[tuple[str, str]]:
    """The files behind an address, each with its path below the folder or pattern that was given.

    A folder is searched through and a pattern resolved where the service can list what it holds; an address
    on the web is one file.

    Raises:
        MissingExtra: the package that speaks this protocol is not installed.
        InputError: the protocol is unknown, or the file is not there.
        EngineError: the service cannot be reached or refuses.
    """
    protocol = address.split("://")[0].lower()
    if protocol in _WEB:
        yield address, file_name(address)
        return
    system, path = _open(address)
    try:
        if glob.has_magic(path):
            parts = path.split("/")
            plain = next(index for index, part in enumerate(parts) if glob.has_magic(part))
            above, found = (
                "/".join(parts[:plain]),
                [each for each in system.glob(path) if system.isfile(each)],
            )
        elif system.isdir(path):
            above, found = path.rstrip("/"), system.find(path)
        else:
            above, found = path.rpartition("/")[0], [path]
    except _errors() as error:
        raise _failed(address, error) from error
    for each in sorted(found):
        yield system.unstrip_protocol(each), each.removeprefix(above).lstrip("/")


@functools.cache
def fetched(address: str) -> Path:
    """A copy of the file at an address. It is fetched once while the program runs and gone afterwards.

    Raises: as `listed`.
    """
    system, path = _open(address)
    # The name only keeps its suffixes: nothing in an address decides where the copy lies.
    suffixes = "".join(PurePosixPath(file_name(address)).suffixes[-2:])
    copy = Path(_folder().name, f"{len(list(Path(_folder().name).iterdir()))}{suffixes}")
    try:
        with system.open(path, "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except _errors() as error:
        raise _failed(address, error) from error
    return copy


@functools.cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="assay-remote-")


def _open(address: str) -> tuple[AbstractFileSystem, str]:
    protocol = address.split("://")[0].lower()
    package, extra = _PACKAGES.get(protocol, ("fsspec", "remote"))
    purpose = f"Reading {protocol}:// addresses"
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtra("fsspec", extra, purpose=purpose) from None
    try:
        system, path = url_to_fs(address)
    except ImportError:
        raise MissingExtra(package, extra, purpose=purpose) from None
    except ValueError as error:
        raise InputError(f"this address cannot be read: {error}", where=address) from error
    return system, path


def _errors() -> tuple[type[BaseException], ...]:
    """What may go wrong below fsspec: only libraries that are loaded can raise their errors."""
    loaded = ((sys.modules.get(module), name) for module, name in _FOREIGN)
    found = (getattr(module, name, None) for module, name in loaded if module is not None)
    return (OSError, ValueError, *(each for each in found if each is not None))


def _failed(address: str, error: BaseException) -> InputError | EngineError:
    if isinstance(error, FileNotFoundError):
        return InputError("no such file or folder", where=address)
    return EngineError(
        f"cannot be fetched ({type(error).__name__}: {error})",
        where=address,
        fix="Check the address, your credentials and the connection.",
    )
