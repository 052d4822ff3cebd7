package dev.eden.demo.postgres;

import java.util.Random;

/** What a client may do next, and how often it does. */
enum Work {
    READ(220),
    READ_SEVERAL(30),
    WRITE(140),
    INCREMENT(60),
    COUNT(40),
    LOG_APPEND(70),
    LOG_TAIL(50),
    TRAIL_APPEND(40),
    TRAIL_TAIL(30),
    PAIR_WRITE(15, 4),
    PAIR_READ(30),
    TRANSFER(50, 5),
    SUM(20),
    INSERT(60),
    SERIAL(50, 5),
    MIXED(15, 6),
    COPY_IN(6),
    COPY_OUT(4),
    NOTIFY(15),
    ERROR(10),
    SQL_PREPARED(8),
    PARAMETER(4);

    private static final Work[] ALL = values();
    private static final int TOTAL;

    static {
        int total = 0;
        for (Work work : ALL) {
            total += work.weight;
        }
        TOTAL = total;
    }

    private final int weight;
    private final int statements;

    Work(int weight) {
        this(weight, 1);
    }

    Work(int weight, int statements) {
        this.weight = weight;
        this.statements = statements;
    }

    /** About how many round trips it takes. */
    int statements() {
        return statements;
    }

    static Work pick(Random random) {
        int choice = random.nextInt(TOTAL);
        for (Work work : ALL) {
            choice -= work.weight;
            if (choice < 0) {
                return work;
            }
        }
        throw new IllegalStateException("weights do not add up");
    }
}
