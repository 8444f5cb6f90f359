"""Can pictures be kept where the settings say?"""

from __future__ import annotations

from heliograph.doctor.findings import Finding, ok, problem
from heliograph.errors import SettingsInvalid, Unreachable
from heliograph.node import s3_bucket
from heliograph.settings import Settings

SUBJECT = "pictures"


def look(settings: Settings) -> list[Finding]:
    """What there is to say of the bucket; a folder is looked at with the data folder that it is in."""
    if settings.media_store == "files":
        return []
    try:
        bucket = s3_bucket(settings)
        bucket.probe()
    except SettingsInvalid as error:
        return [problem(SUBJECT, error.message, "Correct the settings that begin with s3_.")]
    except Unreachable as error:
        advice = "Look at s3_endpoint, s3_region and s3_bucket, and at the rights of the credentials."
        return [problem(SUBJECT, error.message, advice)]
    return [ok(SUBJECT, f"the bucket {bucket.name} can be listed, written and read")]
