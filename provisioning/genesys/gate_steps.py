"""What the gate does to its shared fields, each step for Redis and for memory.

slots     the time at which all that was promised will have been sent
limited   nobody calls before it: the platform's limit
outage    nobody calls before it: the platform has been failing; afterwards one call tries
probe     until then that one call is under way
failures  in a row; closings: how often the gate has been closed since the last success
allowed   the platform's own calls a minute, as it last told
"""

from collections.abc import Sequence

from provisioning.atomic import Done, Fields, Step, Value, number

# How long the fields are kept after their last change, in seconds.
KEPT = 3600.0


def _within(fields: Fields, name: str, now: float, window: float) -> float:
    """Return a stored moment; 0 where a clock that was corrected since has written it."""
    moment = number(fields.get(name))
    return moment if moment <= now + window else 0.0


def _reserve(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    calls, rate, patience, probe_seconds, window, longest = map(number, values)
    troubled = 1.0 if "failures" in fields else 0.0
    if "outage" in fields:
        outage = _within(fields, "outage", now, longest)
        if outage > now:
            return ["outage", outage - now, troubled], 0
        if _within(fields, "probe", now, probe_seconds) > now:
            return ["probe", 1.0, troubled], 0
        fields["probe"] = now + probe_seconds
    wait = max(0.0, _within(fields, "limited", now, window) - now)
    if rate and calls:
        each = 60 / min(rate, number(fields.get("allowed")) or rate)
        capacity = max(2.0, 1 / each)
        promised = max(now, _within(fields, "slots", now, window)) + calls * each
        wait = max(wait, promised - now - capacity * each)
        if wait <= patience:
            fields["slots"] = promised
    return ["busy" if wait > patience else "open", wait, troubled], KEPT


RESERVE = Step(
    "gate-reserve",
    """
local kept = redis.call('HMGET', KEYS[1],
    'slots', 'limited', 'outage', 'probe', 'failures', 'allowed')
local calls, rate, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local probe, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local function within(value, window)
  local moment = tonumber(value or 0)
  if moment > now + window then return 0 end
  return moment
end
local troubled = kept[5] and '1' or '0'
if kept[3] then
  local outage = within(kept[3], tonumber(ARGV[6]))
  if outage > now then return {'outage', text(outage - now), troubled} end
  if within(kept[4], probe) > now then return {'probe', '1', troubled} end
  redis.call('HSET', KEYS[1], 'probe', text(now + probe))
end
local wait = math.max(0, within(kept[2], window) - now)
if rate > 0 and calls > 0 then
  local allowed = tonumber(kept[6] or 0)
  if allowed > 0 then rate = math.min(rate, allowed) end
  local each = 60 / rate
  local capacity = math.max(2, 1 / each)
  local promised = math.max(now, within(kept[1], window)) + calls * each
  wait = math.max(wait, promised - now - capacity * each)
  if wait <= patience then redis.call('HSET', KEYS[1], 'slots', text(promised)) end
end
redis.call('EXPIRE', KEYS[1], 3600)
return {wait > patience and 'busy' or 'open', text(wait), troubled}
""",
    _reserve,
)


def _fail(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    to_close, longest = map(number, values)
    failures = fields["failures"] = number(fields.get("failures")) + 1
    # Calls that were under way when the gate closed say nothing new.
    if failures >= to_close and _within(fields, "outage", now, longest) <= now:
        closings = number(fields.get("closings"))
        fields["outage"] = now + min(longest, 2.0**closings)
        fields["closings"] = closings + 1
        fields.pop("probe", None)
    return [failures], KEPT


FAIL = Step(
    "gate-fail",
    """
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local longest = tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'outage', 'closings')
local outage, closings = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
if outage > now + longest then outage = 0 end
if failures >= tonumber(ARGV[1]) and outage <= now then
  local seconds = math.min(longest, 2 ^ closings)
  redis.call('HSET', KEYS[1], 'outage', text(now + seconds), 'closings', closings + 1)
  redis.call('HDEL', KEYS[1], 'probe')
end
redis.call('EXPIRE', KEYS[1], 3600)
return {tostring(failures)}
""",
    _fail,
)


def _heal(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    for name in ("failures", "closings", "outage", "probe"):
        fields.pop(name, None)
    return [], 0


HEAL = Step(
    "gate-heal",
    "redis.call('HDEL', KEYS[1], 'failures', 'closings', 'outage', 'probe') return {}",
    _heal,
)


def _limit(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    fields["limited"] = now + number(values[0])
    return [], KEPT


LIMIT = Step(
    "gate-limit",
    """
redis.call('HSET', KEYS[1], 'limited', text(now + tonumber(ARGV[1])))
redis.call('EXPIRE', KEYS[1], 3600)
return {}
""",
    _limit,
)


def _allow(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    fields["allowed"] = values[0]
    return [], KEPT


ALLOW = Step(
    "gate-allow",
    """
redis.call('HSET', KEYS[1], 'allowed', ARGV[1])
redis.call('EXPIRE', KEYS[1], 3600)
return {}
""",
    _allow,
)


def _look(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    window, longest = map(number, values)
    busy = max(0.0, _within(fields, "slots", now, window) - now)
    limited = max(0.0, _within(fields, "limited", now, window) - now)
    outage = max(0.0, _within(fields, "outage", now, longest) - now) if "outage" in fields else -1.0
    failures, allowed = fields.get("failures", 0), fields.get("allowed", 0)
    return [busy, limited, outage, failures, allowed], 0


LOOK = Step(
    "gate-look",
    """
local kept = redis.call('HMGET', KEYS[1], 'slots', 'limited', 'outage', 'failures', 'allowed')
local function left(value, window)
  local moment = tonumber(value or 0)
  if moment > now + tonumber(window) then return '0' end
  return text(math.max(0, moment - now))
end
local outage = kept[3] and left(kept[3], ARGV[2]) or '-1'
return {left(kept[1], ARGV[1]), left(kept[2], ARGV[1]), outage, kept[4] or '0', kept[5] or '0'}
""",
    _look,
)
