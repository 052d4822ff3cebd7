package dev.eden.demo.check;

import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A register shows what was written last. A read is explained by a write of the same value that no other write has
 * certainly replaced: one that began after it had been answered (or had been seen), and was answered (or seen) before the
 * read was sent. An expiry is a delete with an interval of its own.
 */
final class RegisterCheck {

    /** One write, or the expiry of one; {@code returned} moves forward when somebody sees the value. */
    private static final class Write {
        final long value;
        final int client;
        final int index;
        final long invoked;
        final boolean expiry;
        long returned;
        /** When the same client's next write was answered: program order replaces even where times overlap. */
        long replacedByOwn = Operation.NEVER;

        Write(long value, int client, int index, long invoked, long returned, boolean expiry) {
            this.value = value;
            this.client = client;
            this.index = index;
            this.invoked = invoked;
            this.returned = returned;
            this.expiry = expiry;
        }
    }

    /** What one connection knows: the newest write that it made or saw. */
    private static final class Knowledge {
        @Nullable
        Write newest;

        @Nullable
        Write own;

        void learn(Write write) {
            if (newest == null || write.invoked > newest.invoked) {
                newest = write;
            }
        }
    }

    private final Findings findings;
    private final List<Window> sessionOnly;
    private final long tolerance;

    RegisterCheck(Findings findings, List<Window> sessionOnly, long expiryToleranceMicros) {
        this.findings = findings;
        this.sessionOnly = sessionOnly;
        this.tolerance = expiryToleranceMicros;
    }

    void check(String cell, long initial, List<Operation> operations) {
        operations.sort(Comparator.comparingInt(Operation::client).thenComparingInt(Operation::index));
        Map<Operation, Write> writeOf = new IdentityHashMap<>();
        Map<Long, List<Write>> byValue = new HashMap<>();
        List<Write> writes = writes(cell, initial, operations, writeOf, byValue);
        seen(operations, byValue);
        Write[] byReturn = writes.stream()
                .filter(w -> w.returned != Operation.NEVER)
                .sorted(Comparator.comparingLong(w -> w.returned))
                .toArray(Write[]::new);
        Write[] newestUpTo = new Write[byReturn.length];
        for (int i = 0; i < byReturn.length; i++) {
            newestUpTo[i] = i > 0 && newestUpTo[i - 1].invoked >= byReturn[i].invoked ? newestUpTo[i - 1] : byReturn[i];
        }
        Map<Long, Knowledge> sessions = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.outcome() != Outcome.OK) {
                continue;
            }
            Knowledge knowledge = sessions.computeIfAbsent(
                    (long) operation.client() << 32 | operation.session(), _ -> new Knowledge());
            if (operation.kind() == OperationKind.READ) {
                read(cell, operation, byValue.get(operation.value()), byReturn, newestUpTo, knowledge);
            } else {
                Write write = writeOf.get(operation);
                if (write != null) {
                    knowledge.learn(write);
                    knowledge.own = write;
                }
            }
        }
    }

    private List<Write> writes(
            String cell,
            long initial,
            List<Operation> operations,
            Map<Operation, Write> writeOf,
            Map<Long, List<Write>> byValue) {
        List<Write> writes = new ArrayList<>();
        writes.add(new Write(initial, Operation.PRELOAD_CLIENT, -1, -1, -1, false));
        Map<Integer, Write> lastOfClient = new HashMap<>();
        List<Operation> changes = new ArrayList<>();
        for (Operation operation : operations) {
            boolean write = operation.kind() == OperationKind.WRITE || operation.kind() == OperationKind.EXPIRING_WRITE;
            if (operation.outcome() == Outcome.FAILED || !(write || operation.kind() == OperationKind.PERSIST)) {
                continue;
            }
            changes.add(operation);
            if (write) {
                Write made = new Write(
                        operation.value(),
                        operation.client(),
                        operation.index(),
                        operation.invoked(),
                        operation.returned(),
                        false);
                writes.add(made);
                writeOf.put(operation, made);
                if (operation.acknowledged()) {
                    Write before = lastOfClient.put(operation.client(), made);
                    if (before != null) {
                        before.replacedByOwn = made.returned;
                    }
                }
            }
        }
        changes.sort(Comparator.comparingLong(Operation::invoked).thenComparingInt(Operation::index));
        for (Operation operation : changes) {
            if (operation.kind() == OperationKind.EXPIRING_WRITE) {
                expiry(cell, operation, changes, writes);
            }
        }
        for (Write write : writes) {
            byValue.computeIfAbsent(write.value, _ -> new ArrayList<>(1)).add(write);
        }
        return writes;
    }

    /** The delete that {@code write}'s time to live amounts to: certain, possible, or prevented by a later change. */
    private void expiry(String cell, Operation write, List<Operation> changes, List<Write> writes) {
        long from = write.invoked() + write.extra() * 1000 - tolerance;
        long to = write.returned() == Operation.NEVER
                ? Operation.NEVER
                : write.returned() + write.extra() * 1000 + tolerance;
        for (Operation change : changes) {
            if (change == write || change.precedes(write)) {
                continue;
            }
            boolean after = write.precedes(change);
            if (change.kind() == OperationKind.PERSIST && change.acknowledged() && after) {
                if (change.invoked() > to) {
                    findings.add(
                            Anomaly.RESURRECTED,
                            cell,
                            "persist " + change.client() + "/" + change.index(),
                            "kept by PERSIST after it had expired");
                }
                return;
            }
            if (change.invoked() > to) {
                break;
            }
            if (after && change.acknowledged() && change.returned() < from) {
                return;
            }
            to = Operation.NEVER;
            if (after && change.acknowledged()) {
                break;
            }
        }
        writes.add(new Write(Operation.ABSENT, write.client(), write.index(), from, to, true));
    }

    /** A value that somebody saw had taken effect by then, whatever its own client was told. */
    private static void seen(List<Operation> operations, Map<Long, List<Write>> byValue) {
        for (Operation operation : operations) {
            if (operation.kind() == OperationKind.READ && operation.acknowledged()) {
                List<Write> candidates = byValue.get(operation.value());
                if (candidates != null && candidates.size() == 1) {
                    Write write = candidates.getFirst();
                    write.returned = Math.min(write.returned, Math.max(operation.returned(), write.invoked));
                }
            }
        }
    }

    private void read(
            String cell,
            Operation read,
            @Nullable List<Write> candidates,
            Write[] byReturn,
            Write[] newestUpTo,
            Knowledge knowledge) {
        String subject = read.isFinal() ? "final" : read.client() + "/" + read.index();
        if (candidates == null) {
            Anomaly anomaly = read.value() == Operation.ABSENT ? Anomaly.LOST : Anomaly.WRONG;
            findings.add(anomaly, cell, subject, who(read) + " saw " + Checker.id(read.value()));
            return;
        }
        Write replaced = Floors.strict(sessionOnly, read) ? newestBefore(read.invoked(), byReturn, newestUpTo) : null;
        Write best = null;
        Write culprit = null;
        for (Write candidate : candidates) {
            if (candidate.invoked > read.returned()) {
                continue;
            }
            Write by = replacement(candidate, replaced, read, knowledge);
            if (by == null) {
                best = candidate;
                break;
            }
            culprit = by;
        }
        if (best != null) {
            if (candidates.size() == 1) {
                knowledge.learn(best);
            }
            return;
        }
        if (culprit == null) {
            boolean nothing = read.value() == Operation.ABSENT;
            findings.add(
                    nothing ? Anomaly.LOST : Anomaly.WRONG,
                    cell,
                    subject,
                    who(read) + " saw " + Checker.id(read.value())
                            + (nothing ? " too early" : " before it was written"));
            return;
        }
        boolean deleted = culprit.value == Operation.ABSENT;
        Anomaly anomaly = deleted ? Anomaly.RESURRECTED : read.isFinal() ? Anomaly.LOST : Anomaly.STALE;
        findings.add(
                anomaly,
                cell,
                subject,
                who(read) + " saw " + Checker.id(read.value()) + " after "
                        + (culprit.expiry
                                ? "it had expired"
                                : deleted ? "it was deleted" : Checker.id(culprit.value) + " was written"));
    }

    /** The write that had certainly replaced {@code candidate} as far as {@code read} must know, or null. */
    private static @Nullable Write replacement(
            Write candidate, @Nullable Write newest, Operation read, Knowledge knowledge) {
        if (candidate.returned == Operation.NEVER) {
            return null;
        }
        if (newest != null && newest != candidate && candidate.returned < newest.invoked) {
            return newest;
        }
        if (newest != null && candidate.replacedByOwn < read.invoked()) {
            return newest;
        }
        Write known = knowledge.newest;
        if (known != null && known != candidate && candidate.returned < known.invoked) {
            return known;
        }
        Write own = knowledge.own;
        if (own != null && own.client == candidate.client && !candidate.expiry && candidate.index < own.index) {
            return own;
        }
        return null;
    }

    private static @Nullable Write newestBefore(long moment, Write[] byReturn, Write[] newestUpTo) {
        int low = 0;
        int high = byReturn.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (byReturn[middle].returned < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? null : newestUpTo[low - 1];
    }

    private static String who(Operation read) {
        return read.isFinal() ? "the final state" : "client " + read.client();
    }
}
