import hashlib, hmac

key = bytes.fromhex(open("ledger.key").read().strip())
lines = open("suppressed.txt").read().splitlines()
heads = [line[2:] for line in lines if line[:1] == "#"]
said = dict(line.partition(": ")[::2] for line in heads)
suppressed = {line for line in lines if line[:1] != "#"}

def keyed(data):
    return hmac.new(key, data, hashlib.sha256).hexdigest()

if said.get("dsr suppressions") != "format 1":
    raise SystemExit("not a suppression list in format 1")
made = keyed(b"dsr ledger key\0fingerprint")
if said.get("key") != made[:16]:
    raise SystemExit("the list has another key")
if said.get("people") != str(len(suppressed)):
    raise SystemExit("the list was cut off")

def may_track(distinct_id):
    digest = keyed(str(distinct_id).encode())
    return digest[:32] not in suppressed
