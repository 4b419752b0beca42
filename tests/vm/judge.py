#!/usr/bin/env python3
"""Judges a scenario on the host: what castgate said and did against what lay on the belt.

judge.py SCENARIO FOLDER: FOLDER/out holds truth.jsonl (what each part is and when its leading edge reached the sensor),
parts.jsonl (castgate's messages over MQTT) and trace.txt (the kernel's stamps of the gate's line); FOLDER/expected.json what
`castgate inspect --json` says of each picture. Prints figures; ends with 1 if something does not hold.
"""
import json
import re
import sys
from datetime import datetime
from pathlib import Path

# The belt of tests/vm/run, in millimetres and seconds.
SPEED, PART, GATE, PULSE, DELAY = 100.0, 120.0, 600.0, 130.0, 0.02
# Part messages may come twice; parts of these scenarios may be unresolved or rejected for the disturbance.
DISTURBED = {"camera-gone", "killed", "power-cut", "gpio-gone", "hung", "restarts"}
# The gate's edge may be so late in an emulated machine, in seconds.
LATE = 0.050
# A part whose edge the conveyor itself, emulated too, gave so late shows nothing, nor do its neighbours; in milliseconds.
FED_LATE = 100
# So many pictures may be rejected without a look, and only among so many at the start.
UNSEEN, START = 4, 8
# So many parts may have passed the sensor before castgate knew the belt.
UNKNOWN = 5


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []


def gate_edges(out):
    """(time in seconds, level) of each change of the gate's line, by the kernel."""
    text = (out / "trace.txt").read_text() if (out / "trace.txt").exists() else ""
    sets = [(float(at), int(line), int(level)) for at, line, level in
            re.findall(r"(\d+\.\d+): gpio_value: (\d+) set (\d)", text)]
    edges, last = [], None
    # The other outputs lie behind the gate's line on the chip.
    gate = min((line for _, line, _ in sets), default=None)
    for at, level in ((at, level) for at, line, level in sets if line == gate):
        if level != last:
            edges.append((at, level))
        last = level
    return edges


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def reasons_of(messages):
    reasons = [str(m["reason"]) for m in messages]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def judge(name, folder):
    out, wrong = folder / "out", []
    messages = {}
    for message in lines(out / "parts.jsonl"):
        messages[(message["config"], message["part"], message["triggered_at"])] = message
    messages = list(messages.values())
    truth = lines(out / "truth.jsonl")
    if name == "pictures":
        expected = json.loads((folder / "expected.json").read_text())
        # Each picture is fed once. The first may be fed before castgate has opened the camera; one that is lost later shifts all that
        # follow, and their scores differ.
        before = len(expected) - len(messages)
        if not 0 <= before <= UNSEEN:
            wrong.append(f"{len(messages)} messages for {len(expected)} pictures")
        expected = expected[max(before, 0):]
        print(f"  told as {reasons_of(messages)}")
        judged = [(m, e) for m, e in zip(messages, expected) if m["score"] is not None]
        same = sum(m["verdict"] == e["verdict"] for m, e in judged)
        apart = max((abs(m["score"] - e["score"]) for m, e in judged), default=0)
        print(f"  {before} pictures fed before the camera was open, {len(judged)} of {len(messages)} others judged, "
              f"{same} as `castgate inspect`, scores at most {apart:.5f} apart")
        if same != len(judged) or apart > 0.001:
            wrong.append("verdicts or scores differ")
        # A loopback camera gives its first frames in a burst; what comes after it is rejected unseen.
        unseen = [(at, m["verdict"]) for at, m in enumerate(messages) if m["score"] is None]
        if len(unseen) > UNSEEN or any(at >= START or verdict == "ok" for at, verdict in unseen):
            wrong.append(f"{len(unseen)} pictures were not judged")
        return wrong
    if not truth:
        return wrong
    # A clock that was stepped by an hour dates messages up to a second off besides.
    pairs = matched(truth, messages, 1.2 if name == "clock-stepped" else 0.1)
    messages = [m for _, m in pairs if m]
    rejects = [m for m in messages if m["verdict"] != "ok"]
    escaped = [m for m in messages if m["outcome"] == "escaped" or (m["truth"] == "defect" and m["outcome"] == "passed")]
    print(f"  {len(truth)} parts on the belt, {len(messages)} told, {len(rejects)} rejected {reasons_of(rejects)}")
    if escaped:
        wrong.append(f"escapes: {escaped}")
    let_pass = [t for t, m in pairs if m and t["truth"] == "defect" and m["verdict"] == "ok"]
    kept_back = [t for t, m in pairs if m and t["truth"] == "ok" and m["verdict"] != "ok"]
    print(f"  against the truth: {len(let_pass)} defective parts passed, {len(kept_back)} good parts rejected")
    if name in DISTURBED:
        return wrong
    # What lay on the belt before castgate knew it is rejected unseen, or was never told.
    while pairs and (pairs[0][1] is None or pairs[0][1]["reason"] == "unknown_belt"):
        pairs.pop(0)
    if len(truth) - len(pairs) > UNKNOWN:
        wrong.append(f"the first {len(truth) - len(pairs)} parts were not known")
    late = {t["part"] for t, _ in pairs if t["late_ms"] > FED_LATE}
    if late:
        print(f"  left out: the conveyor was late with the parts {sorted(late)}")
        pairs = [(t, m) for t, m in pairs if late.isdisjoint(range(t["part"] - 1, t["part"] + 2))]
    missing = [t["part"] for t, m in pairs if not m]
    if missing or not pairs:
        wrong.append(f"no message of the parts {missing}")
        return wrong
    unconfirmed = [m["part"] for _, m in pairs if m["verdict"] != "ok" and m["outcome"] != "rejected_confirmed"]
    if unconfirmed:
        wrong.append(f"not confirmed: {unconfirmed}")
    return wrong + windows(out, *zip(*pairs))


def matched(truth, messages, within):
    """Each part with the message that dates it so nearly as it was, in seconds; parts follow every 3 s."""
    dated = [(datetime.fromisoformat(m["triggered_at"].replace("Z", "+00:00")).timestamp(), m) for m in messages]
    pairs = []
    for part in truth:
        # In seconds of the hour.
        off = lambda at: abs((at - part["wall_ms"] / 1000 + 1800) % 3600 - 1800)
        best = min(dated, key=lambda each: off(each[0]), default=None)
        pairs.append((part, best[1] if best and off(best[0]) < within else None))
    return pairs


def windows(out, truth, messages):
    """Every rejected part has the gate in reject over its window; every edge lies where a window begins or ends."""
    edges, wrong, errors = gate_edges(out), [], []
    if not edges:
        return ["the kernel's trace has no edge of the gate's line"]
    # Before the first edge the line had the other level: it was asked for with it, which the trace does not tell.
    level_at = lambda at: next((level for when, level in reversed(edges) if when <= at), 1 - edges[0][1])
    for part, message in zip(truth, messages):
        middle = part["done_ns"] / 1e9 + (PART / 2 + GATE) / SPEED - DELAY
        first, last = middle - PULSE / 2 / SPEED, middle + PULSE / 2 / SPEED
        if message["verdict"] == "ok":
            if level_at(middle) != 1:
                wrong.append(f"part {part['part']} was to pass, but the gate stood in reject")
            continue
        near = [at for at, level in edges if level == 0 and abs(at - first) < 0.3]
        if level_at(middle) != 0:
            wrong.append(f"part {part['part']} was to be rejected, but the gate stood in pass")
        if near:
            errors.append(min((at - first for at in near), key=abs))
        back = [at for at, level in edges if level == 1 and abs(at - last) < 0.3]
        if back:
            errors.append(min((at - last for at in back), key=abs))
    late = [abs(error) for error in errors]
    print(f"  {len(errors)} gate edges, off by p50 {percentile(late, .5) * 1e3:.2f} ms, "
          f"p99 {percentile(late, .99) * 1e3:.2f} ms, max {max(late, default=0) * 1e3:.2f} ms (emulated)")
    if max(late, default=0) > LATE:
        wrong.append(f"a gate edge is off by more than {LATE * 1e3:.0f} ms")
    return wrong


def main():
    wrong = judge(sys.argv[1], Path(sys.argv[2]))
    for problem in wrong:
        print(f"  WRONG: {problem}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
