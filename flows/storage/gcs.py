"""Google Cloud Storage: MD5 with each object, conditions by its generation.

Preconditions: cloud.google.com/storage/docs/request-preconditions
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import os
import secrets
from typing import Any
from urllib.parse import quote

from flows.storage.faults import is_overtaken
from flows.storage.headers import Headers
from flows.storage.store import (
    UNCACHED,
    Condition,
    ConditionalStore,
    NotWholeError,
    OvertakenError,
)


class GCS(ConditionalStore):
    """`gs://bucket/folder`; the account as Google's tools look for it."""

    extra = "gs"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        # read as its client is imported; else it asks each bucket's kind over gRPC before the first
        # call, a minute of waiting where that is blocked, and we use nothing of the other kinds
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import aiohttp
        from gcsfs.retry import HttpError, NonRetryableError
        from google.auth.exceptions import GoogleAuthError

        return (
            OSError,
            EOFError,
            HttpError,
            NonRetryableError,
            aiohttp.ClientError,
            GoogleAuthError,
        )

    def options(self) -> dict[str, Any]:
        # it prints the traceback of each error that it raises as well
        logging.getLogger("gcsfs").setLevel(logging.CRITICAL)
        return UNCACHED

    def put(self, name: str, data: bytes, headers: Headers) -> None:
        self._put(name, data, headers)

    def _put(self, name: str, data: bytes, headers: Headers, **conditions: str) -> None:
        # one request, whole or not at all, with all its headers (multipart upload:
        # cloud.google.com/storage/docs/uploading-objects-from-memory)
        bucket, _, key = name.partition("/")
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        about = {
            "name": key,
            "contentType": headers.content_type,
            "cacheControl": headers.cache_control,
            "md5Hash": digest,
            "metadata": dict(headers.about),
        }
        edge = f"part-{secrets.token_hex(16)}"
        head = (
            f"--{edge}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(about)}"
            f"\r\n--{edge}\r\nContent-Type: {headers.content_type}\r\n\r\n"
        )
        fs = self.fs
        answer = fs.call(
            "POST",
            f"{fs._location}/upload/storage/v1/b/{quote(bucket)}/o",  # noqa: SLF001 - no other door
            uploadType="multipart",
            headers={"Content-Type": f'multipart/related; boundary="{edge}"'},
            data=io.BytesIO(head.encode() + data + f"\r\n--{edge}--\r\n".encode()),
            json_out=True,
            **conditions,
        )
        if int(answer["size"]) != len(data) or answer.get("md5Hash", digest) != digest:
            raise NotWholeError(None, "the checksum is another one")

    def md5_of(self, entry: dict[str, Any]) -> str | None:
        told = entry.get("md5Hash")
        return base64.b64decode(told).hex() if told else None

    def condition(self, name: str) -> Condition:
        bucket, _, key = name.partition("/")
        try:
            found = self.fs.call("GET", "b/{}/o/{}", bucket, key, json_out=True)
        except FileNotFoundError:
            return Condition(None)
        return Condition(str(found["generation"]))

    def replace(self, name: str, data: bytes, headers: Headers, condition: Condition) -> None:
        try:
            self._put(name, data, headers, ifGenerationMatch=condition.mark or "0")
        except self.errors as error:
            if is_overtaken(error):
                raise OvertakenError from error
            raise
