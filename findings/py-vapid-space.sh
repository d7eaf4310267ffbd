#!/usr/bin/env bash
# A push service that checks VAPID tokens with py-vapid refuses a header that RFC 8292 and RFC 9110 allow. The parameters
# of `Authorization: vapid t=…, k=…` are a list, in which a space may follow the comma (RFC 9110, sections 5.6.1 and 11.4).
# `Vapid02.verify` cuts the header at its last space, and then says that the schema is wrong.
#
#   Authorization: vapid t=TOKEN,k=KEY      verified
#   Authorization: vapid t=TOKEN, k=KEY     AssertionError: Incorrect schema specified
#
# Seen with py-vapid 1.9.6. So whoever sends a push leaves the space out, as src/push does.
#
# Needs Python 3. Ends with 0 if it still behaves so, and with 1 if not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet py-vapid==1.9.6

cat >look.py <<'PYTHON'
import time

from py_vapid import Vapid02, VapidException

sender = Vapid02()
sender.generate_keys()
claims = {"sub": "mailto:admin@example.org", "aud": "https://push.example.org", "exp": int(time.time()) + 3600}
header = sender.sign(claims)["Authorization"]
for name, text in (("as it is", header), ("with a space", header.replace(",k=", ", k="))):
    assert ",k=" in text or ", k=" in text, text
    try:
        print(f"{name}: {bool(Vapid02.verify(text))}")
    except (VapidException, AssertionError) as error:
        print(f"{name}: {error}")
PYTHON

venv/bin/python look.py | tee seen
grep -qx 'as it is: True' seen
grep -qx 'with a space: Incorrect schema specified' seen
