"""Azure Blob Storage: MD5 with each blob, conditions by its ETag.

Conditional headers:
learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Coroutine, Mapping
from typing import Any

from flows.storage.faults import is_overtaken
from flows.storage.headers import Headers
from flows.storage.store import (
    UNCACHED,
    Condition,
    ConditionalStore,
    NotWholeError,
    OvertakenError,
)

CONNECT_S = 10
READ_S = 60
LOOK_S = 0.1
LOOKS = 600

ACCOUNT = {
    "connection_string": "AZURE_STORAGE_CONNECTION_STRING",
    "account_name": "AZURE_STORAGE_ACCOUNT_NAME",
    "account_key": "AZURE_STORAGE_ACCOUNT_KEY",
    "sas_token": "AZURE_STORAGE_SAS_TOKEN",
}
"""Its client reads these by itself."""


class Azure(ConditionalStore):
    """`az://container/folder`; the account from the variables that its client reads."""

    extra = "az"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import aiohttp
        from azure.core.exceptions import AzureError

        return (OSError, EOFError, AzureError, aiohttp.ClientError)

    def options(self) -> dict[str, Any]:
        # its log tells each request at INFO, with headers
        logging.getLogger("azure").setLevel(logging.WARNING)
        options: dict[str, Any] = {**UNCACHED}
        named = bool(os.environ.get(ACCOUNT["account_name"]))
        secret = any(os.environ.get(ACCOUNT[one]) for one in ("account_key", "sas_token"))
        if named and not secret:
            options["anon"] = False  # the machine's own identity, not nobody
        return options

    def open(self) -> tuple[Any, str]:
        is_new = self._opened is None
        fs, base = super().open()
        if is_new:
            # asking again is done in one place, ours: its own three times take a minute of each
            fs.service_client._config.retry_policy.total_retries = 0  # noqa: SLF001 - no other door
        return fs, base

    def put(self, name: str, data: bytes, headers: Headers) -> None:
        self._put(name, data, headers)

    def _put(self, name: str, data: bytes, headers: Headers, **conditions: Any) -> None:
        from azure.storage.blob import ContentSettings

        digest = hashlib.md5(data, usedforsecurity=False).digest()
        settings = ContentSettings(
            content_type=headers.content_type,
            cache_control=headers.cache_control,
            content_md5=bytearray(digest),
        )

        async def upload() -> dict[str, Any]:
            async with self._blob(name) as blob:
                found: dict[str, Any] = await blob.upload_blob(
                    data,
                    length=len(data),
                    content_settings=settings,
                    metadata=_named(headers.about),
                    validate_content=True,
                    retry_total=0,
                    connection_timeout=CONNECT_S,
                    read_timeout=READ_S,
                    **{"overwrite": True, **conditions},
                )
                return found

        answer = self._asked(upload())
        told = answer.get("content_md5")
        if told is not None and bytes(told) != digest:
            raise NotWholeError(None, "the checksum is another one")

    def _blob(self, name: str) -> Any:
        container, _, key = name.partition("/")
        return self.fs.service_client.get_blob_client(container=container, blob=key)

    def _asked(self, coroutine: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        from fsspec.asyn import sync

        async def held() -> dict[str, Any]:
            return await coroutine

        found: dict[str, Any] = sync(self.fs.loop, held)
        return found

    def md5_of(self, entry: dict[str, Any]) -> str | None:
        told = (entry.get("content_settings") or {}).get("content_md5")
        return bytes(told).hex() if told else None

    def settle(self, source: str, target: str) -> None:
        # its client does not wait where the store only says that it has begun
        # (learn.microsoft.com/rest/api/storageservices/copy-blob)
        from azure.core.exceptions import ResourceNotFoundError

        async def copy() -> dict[str, Any]:
            async with self._blob(source) as waiting, self._blob(target) as blob:
                answer = await blob.start_copy_from_url(waiting.url, retry_total=0)
                status = answer["copy_status"]
                for _ in range(LOOKS):
                    if status != "pending":
                        break
                    await asyncio.sleep(LOOK_S)
                    status = (await blob.get_blob_properties(retry_total=0)).copy.status
                return {"status": status}

        try:
            status = self._asked(copy())["status"]
        except ResourceNotFoundError as error:
            raise FileNotFoundError(source) from error
        if status != "success":
            raise NotWholeError(None, f"the copy is {status}")

    def condition(self, name: str) -> Condition:
        from azure.core.exceptions import ResourceNotFoundError

        async def look() -> dict[str, Any]:
            async with self._blob(name) as blob:
                return {"etag": (await blob.get_blob_properties(retry_total=0)).etag}

        try:
            return Condition(str(self._asked(look())["etag"]))
        except ResourceNotFoundError:
            return Condition(None)

    def replace(self, name: str, data: bytes, headers: Headers, condition: Condition) -> None:
        from azure.core import MatchConditions

        conditions: dict[str, Any] = (
            {"overwrite": False}
            if condition.mark is None
            else {"etag": condition.mark, "match_condition": MatchConditions.IfNotModified}
        )
        try:
            self._put(name, data, headers, **conditions)
        except self.errors as error:
            if is_overtaken(error):
                raise OvertakenError from error
            raise


def _named(about: Mapping[str, str]) -> dict[str, str]:
    """Names are a language's there, which knows no hyphen
    (learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
    """
    return {name.replace("-", "_"): value for name, value in about.items()}
