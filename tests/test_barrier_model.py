"""The lines of the C core's barrier (src_c/base/barrier.h, barrier.c), every interleaving of them.

A state is what the threads share and where each of them is; a step is one line, which reads or writes one word, of one
thread. Sleeping threads may also wake for no reason, as the systems' calls say, but nobody may depend on it.
"""

import pytest

SLEEPS, ROUND = 1, 2
READ, COME, LOOK, MARK, LOOK_AGAIN, SLEEP, ASLEEP, RESET, END, WAKE = range(10)


def steps(state, faults):
    """The states that one step leads to, and whether that step happens without anybody's doing."""
    here, word, threads = state
    n = len(threads)
    for i, (line, mine, seen) in enumerate(threads):

        def after(line, here=here, word=word, mine=mine, seen=seen, i=i, woken=False):
            others = [(LOOK_AGAIN, m, s) if woken and x == ASLEEP else (x, m, s) for x, m, s in threads]
            others[i] = (line, mine, seen)
            return here, word, tuple(others)

        def through(i=i, mine=mine, **now):
            return after(READ, mine=mine + 1, seen=0, **now)

        over = word & ~SLEEPS != seen
        if line == READ:
            yield after(COME, seen=word & ~SLEEPS), False
        elif line == COME:
            yield after(LOOK if here + 1 < n else RESET if "resets late" not in faults else END, here=here + 1), False
        elif line == LOOK:
            yield (through() if over else after(MARK)), False
        elif line == MARK:
            yield after(LOOK_AGAIN, word=seen | SLEEPS if word == seen else word), False
        elif line == LOOK_AGAIN:
            yield (through() if over else after(SLEEP)), False
        elif line == SLEEP:  # the system compares and puts to sleep in one
            stays = word == seen | SLEEPS or "sleeps unasked" in faults
            yield after(ASLEEP if stays else LOOK_AGAIN), False
        elif line == ASLEEP:
            yield after(LOOK_AGAIN), True
        elif line == RESET:
            yield after(END, here=0), False
        elif line == END:
            wakes = word & SLEEPS and "never wakes" not in faults
            word_after = seen + ROUND
            if "resets late" in faults:
                yield after(WAKE, word=word_after), False
            else:
                yield (after(WAKE, word=word_after) if wakes else through(word=word_after)), False
        elif line == WAKE:
            reset = {"here": 0} if "resets late" in faults else {}
            yield through(woken=True, **reset), False


def faults_of(n, rounds, faults=()):
    """What can go wrong for n threads that meet so often; the number of states that were looked at."""
    start = (0, 0, ((READ, 0, 0),) * n)
    known, left, found = {start}, [start], set()
    while left:
        state = left.pop()
        threads = state[2]
        if max(m for _, m, _ in threads) - min(m for _, m, _ in threads) > 1:
            found.add("goes through twice")
            continue
        # Through a round's end although somebody has not come to it: he still has that round before him.
        if any(m > k and line in (READ, COME) for _, m, _ in threads for line, k, _ in threads):
            found.add("goes through early")
            continue
        alive = False
        for after, by_chance in steps(state, faults):
            if any(m > rounds for _, m, _ in after[2]):
                continue
            alive |= not by_chance
            if after not in known:
                known.add(after)
                left.append(after)
        if not alive and any(m < rounds for _, m, _ in threads):
            found.add("sleeps forever")
    return found, len(known)


@pytest.mark.parametrize("n, rounds", [(2, 4), (3, 2), (4, 1)])
def test_every_interleaving_ends_and_lets_nobody_through_early(n, rounds):
    found, states = faults_of(n, rounds)
    assert not found
    assert states > 50 * n


@pytest.mark.parametrize(
    "fault, seen",
    [
        ("never wakes", "sleeps forever"),
        ("sleeps unasked", "sleeps forever"),
        ("resets late", "sleeps forever"),
    ],
)
def test_the_model_sees_faults(fault, seen):
    found, _ = faults_of(3, 2, (fault,))
    assert seen in found
