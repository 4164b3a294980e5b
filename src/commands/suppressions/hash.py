import hashlib, hmac

key = bytes.fromhex(open("ledger.key").read().strip())
lines = open("suppressed.txt").read().splitlines()
said = dict(line[2:].split(": ", 1) for line in lines if line[:1] == "#")
suppressed = {line for line in lines if line[:1] != "#"}

def keyed(data):
    return hmac.new(key, data, hashlib.sha256).hexdigest()

if said["key"] != keyed(b"dsr ledger key\0fingerprint")[:16]:
    raise SystemExit("the list was made under another key")
if said["people"] != str(len(suppressed)):
    raise SystemExit("the list was cut off")

def may_track(distinct_id):
    return keyed(str(distinct_id).encode())[:32] not in suppressed
