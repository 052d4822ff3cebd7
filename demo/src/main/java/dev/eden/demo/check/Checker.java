package dev.eden.demo.check;

import dev.eden.demo.history.History;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import java.util.List;

/**
 * Judges a history against what a single, correct server could have answered.
 *
 * <p>Each cell is judged alone, by rules that hold for every linearizable store: an effect lies between its invocation and
 * its answer; an operation in doubt has one effect at any later time, or none. Reads inside a
 * {@linkplain History#sessionOnly session-only} window are held against their own connection's knowledge only. The final
 * state is held against everything.
 */
public final class Checker {
    private final CellModel model;
    private final long expiryToleranceMicros;

    /** @param expiryToleranceMicros how far from its announced moment an expiry may become visible, either way */
    public Checker(CellModel model, long expiryToleranceMicros) {
        this.model = model;
        this.expiryToleranceMicros = expiryToleranceMicros;
    }

    /**
     * @param states sequences and queues at the end, at least one; the first is the truth
     */
    public Verdict check(History history, List<FinalState> states) {
        Findings findings = new Findings();
        RegisterCheck registers = new RegisterCheck(findings, history.sessionOnlyWindows(), expiryToleranceMicros);
        CounterCheck counters = new CounterCheck(findings, history.sessionOnlyWindows());
        SequenceCheck sequences = new SequenceCheck(findings, history.sessionOnlyWindows());
        QueueCheck queues = new QueueCheck(findings);
        boolean[] touched = new boolean[model.cells()];
        history.forEachCell(model.cells(), (cell, operations) -> {
            touched[cell] = true;
            String name = model.name(cell);
            switch (model.kind(cell)) {
                case REGISTER -> registers.check(name, model.initial(cell), operations);
                case COUNTER -> counters.check(name, model.initial(cell), operations);
                case SEQUENCE -> sequences.check(name, model.initialElements(cell), operations, cell, states);
                case QUEUE -> queues.check(name, model.initialElements(cell), operations, cell, states);
                case PAIR -> checkPair(findings, name, operations);
            }
        });
        for (int cell = 0; cell < touched.length; cell++) {
            if (!touched[cell]) {
                switch (model.kind(cell)) {
                    case SEQUENCE ->
                        sequences.check(model.name(cell), model.initialElements(cell), List.of(), cell, states);
                    case QUEUE -> queues.check(model.name(cell), model.initialElements(cell), List.of(), cell, states);
                    case REGISTER, COUNTER, PAIR -> {}
                }
            }
        }
        return verdict(history, findings);
    }

    private static void checkPair(Findings findings, String name, List<Operation> operations) {
        for (Operation read : operations) {
            if (read.acknowledged() && read.value() != read.extra()) {
                findings.add(
                        Anomaly.TORN,
                        name,
                        read.client() + "/" + read.index(),
                        "one read showed " + id(read.value()) + " and " + id(read.extra()));
            }
        }
    }

    private static Verdict verdict(History history, Findings findings) {
        long operations = 0;
        long acknowledged = 0;
        long inDoubt = 0;
        for (OperationLog log : history.logs()) {
            for (int i = 0; i < log.size(); i++) {
                Operation operation = log.get(i);
                if (operation.client() >= Operation.FIRST_FINAL_CLIENT) {
                    break;
                }
                operations++;
                switch (operation.kind()) {
                    case WRITE, EXPIRING_WRITE, PERSIST, INCREMENT, APPEND, PUSH -> {
                        if (operation.outcome() == Outcome.OK) {
                            acknowledged++;
                        } else if (operation.outcome() == Outcome.IN_DOUBT) {
                            inDoubt++;
                        }
                    }
                    case POP -> {
                        if (operation.outcome() == Outcome.IN_DOUBT) {
                            inDoubt++;
                        } else if (operation.value() != Operation.ABSENT) {
                            acknowledged++;
                        }
                    }
                    case READ, COUNT, TAIL, PAIR -> {}
                }
            }
        }
        return new Verdict(operations, acknowledged, inDoubt, findings.counts(), findings.examples());
    }

    /** An element or value id for people: {@code client:sequence}. */
    static String id(long value) {
        if (value == Operation.ABSENT) {
            return "nothing";
        }
        if (value == Operation.CORRUPT) {
            return "something nobody wrote";
        }
        return (value & 1023) + ":" + (value >>> 10);
    }
}
