"""What went wrong between here and the Hub, in sentences that say what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlx_clip.errors import EncoderError, HubError, ModelNotFoundError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

WITHOUT_NETWORK = (
    "Try again when there is a network (what has arrived is kept), set CLIP_MODEL to the path of "
    "the model's folder copied from another machine, or use the model that needs no download: "
    "CLIP_MODEL=starter"
)
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def explained(name: str, endpoint: str) -> Iterator[None]:
    """Turn whatever huggingface_hub raises inside into one of our errors.

    It documents no common root: there are its own errors, those of httpx (or httpx2, as its
    version has it), OSError, and ValueError for an answer that is no JSON.
    """
    try:
        yield
    except EncoderError:
        raise
    except Exception as error:
        raise _explain(error, name, endpoint) from error


def _explain(error: Exception, name: str, endpoint: str) -> EncoderError:
    from huggingface_hub import errors

    repo, _, revision = name.partition("@")
    if isinstance(error, errors.GatedRepoError):
        return ModelNotFoundError(
            f"{repo} is given only to those who accept its licence: do that on its page, "
            f"{endpoint}/{repo}, then run `hf auth login` and try again"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelNotFoundError(
            f"{repo} has no revision {revision!r}: {endpoint}/{repo}/commits/main lists its commits"
        )
    if isinstance(error, errors.HfHubHTTPError):
        return _explain_status(error, repo, endpoint)
    if isinstance(error, errors.HFValidationError):
        return ModelNotFoundError(f"{name!r} cannot be a model's name, ORG/MODEL: {error}")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubError(
            f"HF_HUB_OFFLINE is set, and {name} is not complete on this machine: unset it to "
            "download the model, or set CLIP_MODEL to a folder that has it, or to `starter`"
        )
    if isinstance(error, OSError) and not isinstance(error, (TimeoutError, ConnectionError)):
        return explain_disk(error, name)
    if isinstance(error, (ValueError, KeyError, TypeError)):
        return HubError(
            f"what answers at {endpoint} is not the model hub ({_reason(error)}): perhaps this "
            f"network wants a login first, in a browser. {WITHOUT_NETWORK}"
        )
    return HubError(
        f"{name} is not complete on this machine, and the model hub at {endpoint} cannot be "
        f"reached ({_reason(error)}). {WITHOUT_NETWORK}"
    )


def _explain_status(error: HfHubHTTPError, repo: str, endpoint: str) -> EncoderError:
    from huggingface_hub.errors import RepositoryNotFoundError

    status = error.response.status_code
    said = error.server_message or error.response.reason_phrase
    if status == 401 and "credentials" in said:
        return HubError(
            f"the Hub refuses the token that is stored on this machine ({said}): run "
            "`hf auth login` for a new one, or `hf auth logout` to do without"
        )
    # Without a login the Hub answers 401 for a name that it does not know.
    if status == 401 or isinstance(error, RepositoryNotFoundError):
        return ModelNotFoundError(
            f"the Hub shows no model {repo!r}: is it misspelt? The name is ORG/MODEL, as in the "
            f"address of its page, {endpoint}/ORG/MODEL. If it is private, run `hf auth login`"
        )
    if status == 429:
        return HubError(
            f"the Hub gets too many requests from here (429) to give {repo}: try again in a few "
            "minutes; after `hf auth login` it allows more"
        )
    if status >= 500:
        return HubError(
            f"the model hub at {endpoint} is out of order ({status} {said}). {WITHOUT_NETWORK}"
        )
    return HubError(f"the Hub at {endpoint} refuses {repo} ({status} {said})")


def explain_disk(error: OSError, name: str) -> HubError:
    """What it means that the cache cannot be written."""
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in _FULL:
        return HubError(
            f"the disk is full{where}: {name} could not be downloaded. Make room and try again "
            "(what has arrived is kept), or set HF_HOME to a folder on another disk"
        )
    return HubError(
        f"{name} could not be written{where} ({_reason(error)}): "
        "set HF_HOME to a folder that you may write to"
    )


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
