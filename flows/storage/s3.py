"""Amazon S3 and whatever speaks like it: MD5 with each object, conditions by its ETag.

Conditional writes: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
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

_MD5 = re.compile(r"[0-9a-f]{32}")
CONNECT_S = 10
READ_S = 60
POOL = 32


class S3(ConditionalStore):
    """`s3://bucket/folder`; keys and endpoint as the AWS tools look for them."""

    extra = "s3"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import aiohttp
        from botocore.exceptions import BotoCoreError, ClientError

        return (OSError, EOFError, BotoCoreError, ClientError, aiohttp.ClientError)

    def options(self) -> dict[str, Any]:
        from fsspec.config import conf

        said = conf.get("s3", {}).get("config_kwargs", {})
        config = {
            "connect_timeout": CONNECT_S,
            "read_timeout": READ_S,
            "max_pool_connections": POOL,
            # asking again is done in one place, ours: three layers of it make minutes of nothing
            "retries": {"total_max_attempts": 1},
            **said,
        }
        return {**UNCACHED, "config_kwargs": config}

    def open(self) -> tuple[Any, str]:
        is_new = self._opened is None
        fs, base = super().open()
        if is_new:
            fs.retries = 1
        return fs, base

    def put(self, name: str, data: bytes, headers: Headers) -> None:
        self._put(name, data, headers)

    def _put(self, name: str, data: bytes, headers: Headers, **conditions: str) -> None:
        bucket, _, key = name.partition("/")
        digest = hashlib.md5(data, usedforsecurity=False)
        answer = self.fs.call_s3(
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=data,
            # the store holds it against what came: every one of them knows this header
            ContentMD5=base64.b64encode(digest.digest()).decode(),
            ContentType=headers.content_type,
            CacheControl=headers.cache_control,
            Metadata=dict(headers.about),
            **conditions,
        )
        told = _md5(answer.get("ETag"))
        if told is not None and not _is_opaque(answer) and told != digest.hexdigest():
            raise NotWholeError(None, "the checksum is another one")
        if told != digest.hexdigest():
            size = self.fs.call_s3("head_object", Bucket=bucket, Key=key)["ContentLength"]
            if size != len(data):
                raise NotWholeError(None, "the size is another one")

    def md5_of(self, entry: dict[str, Any]) -> str | None:
        # with a key of the key service it looks like one and is none: then files are sent again
        return _md5(entry.get("ETag"))

    def settle(self, source: str, target: str) -> None:
        # in one request each, where its client would first ask what lies there
        bucket, _, key = target.partition("/")
        held, _, waiting = source.partition("/")
        self.fs.call_s3(
            "copy_object", Bucket=bucket, Key=key, CopySource={"Bucket": held, "Key": waiting}
        )

    def condition(self, name: str) -> Condition:
        bucket, _, key = name.partition("/")
        try:
            answer = self.fs.call_s3("head_object", Bucket=bucket, Key=key)
        except FileNotFoundError:
            return Condition(None)
        return Condition(answer["ETag"])

    def replace(self, name: str, data: bytes, headers: Headers, condition: Condition) -> None:
        mark = condition.mark
        conditions = {"IfNoneMatch": "*"} if mark is None else {"IfMatch": mark}
        try:
            self._put(name, data, headers, **conditions)
        except self.errors as error:
            if is_overtaken(error) or (mark is not None and isinstance(error, FileNotFoundError)):
                raise OvertakenError from error
            raise


def _is_opaque(answer: Mapping[str, Any]) -> bool:
    """Whether the ETag is of encrypted bytes. With the store's own keys, as Amazon's are by default
    (AES256), it is of those that were sent; with the key service's or a customer's it is not
    (docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
    """
    by = answer.get("ServerSideEncryption") or "AES256"
    return by != "AES256" or "SSECustomerAlgorithm" in answer


def _md5(etag: object) -> str | None:
    """An ETag is the MD5 of an object that was put in one piece and not encrypted by a key."""
    text = str(etag or "").strip('"').lower()
    return text if _MD5.fullmatch(text) else None
