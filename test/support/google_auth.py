"""Gets a token with each credential file that is named on standard input, and prints what google-auth got as lines of JSON."""

import json
import sys

import google.auth
from google.auth import exceptions
from google.auth.transport.requests import Request

for line in sys.stdin:
    asked = json.loads(line)
    credentials, _project = google.auth.load_credentials_from_file(asked["file"], scopes=asked.get("scopes"))
    try:
        credentials.refresh(Request())
        got = {"token": credentials.token, "valid": credentials.valid, "expiry": credentials.expiry.isoformat()}
    except exceptions.GoogleAuthError as error:
        got = {"error": type(error).__name__, "text": str(error.args[0])}
    print(json.dumps({"class": type(credentials).__qualname__, "module": type(credentials).__module__, **got}), flush=True)
