package dev.eden.demo.postgres;

import dev.eden.demo.check.Checker;
import dev.eden.demo.check.FinalState;
import dev.eden.demo.check.JournalCheck;
import dev.eden.demo.check.JournalState;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.engine.Judgement;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.history.History;
import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Rows, transactions and sessions of an application, judged by what each client was told. */
public final class PostgresWorkload implements Workload {
    private static final int SHOWN = 5;

    private final PostgresDatabases databases;
    private final LoadOptions options;
    private final History history = new History();
    private final History requests = new History();
    private final Rows rows;
    private final AppSchema schema;
    private final StillRows still;
    private volatile List<KnownErrors.Known> errors = List.of();
    private volatile Map<String, String> rowsBefore = Map.of();
    private volatile Map<String, String> schemaBefore = Map.of();
    private volatile @Nullable SqlLoad load;

    /** @param count about how many rows */
    public PostgresWorkload(PostgresDatabases databases, int count, LoadOptions options) {
        this.databases = databases;
        this.options = options;
        this.rows = new Rows(count);
        this.schema = new AppSchema(rows);
        this.still = new StillRows(rows, schema);
    }

    @Override
    public String units() {
        return "rows";
    }

    @Override
    public String requestUnits() {
        return "statements";
    }

    @Override
    public History history() {
        return history;
    }

    @Override
    public History requests() {
        return requests;
    }

    @Override
    public int mostDamage() {
        return still.most();
    }

    @Override
    public void fill() throws SQLException, IOException {
        try (Connection source = databases.connectFirst()) {
            schema.make(source);
            rowsBefore = still.read(source);
            schemaBefore = StillRows.schema(source);
        }
        try (Connection direct = databases.direct().open(0, Logins.Style.DEFAULT, "direct")) {
            errors = KnownErrors.learn(direct);
        }
    }

    @Override
    public Load start(List<InetSocketAddress> proxies) {
        return start(proxies, List.of());
    }

    /** {@code others}: addresses of a server itself, for applications that go past the proxies; client n connects to the n-th of all addresses, round and round. */
    public Load start(List<InetSocketAddress> proxies, List<InetSocketAddress> others) {
        List<InetSocketAddress> all = new ArrayList<>(proxies);
        all.addAll(others);
        SqlLoad started = SqlLoad.start(
                databases.logins(all), proxies.size(), others.size(), rows, options, errors, history, requests);
        load = started;
        return started;
    }

    @Override
    public Map<String, String> damage(int count) throws SQLException {
        try (Connection target = databases.connect(true)) {
            return still.damage(target, count);
        }
    }

    /** Reports quote every name. */
    @Override
    public String named(String reported) {
        return reported.replace("\"", "");
    }

    @Override
    public Judgement judge(
            boolean onTarget, boolean completed, List<InetSocketAddress> proxies, Map<String, String> planted)
            throws SQLException {
        SqlLoad ran = load;
        if (ran == null) {
            throw new IllegalStateException("no load ran");
        }
        List<FinalState> states = new ArrayList<>();
        FinalRows reader = new FinalRows(rows, history);
        JournalState journals;
        Set<String> rowsDiffering;
        Set<String> schemaDiffering;
        try (Connection owner = databases.connect(onTarget)) {
            states.add(reader.cells(onTarget ? "the target" : "the source", owner));
            journals = FinalRows.journals(owner);
            rowsDiffering = StillRows.differing(rowsBefore, still.read(owner));
            schemaDiffering = StillRows.differing(schemaBefore, StillRows.schema(owner));
        }
        Logins logins = databases.logins(proxies);
        for (int i = 0; i < proxies.size(); i++) {
            try (Connection through = logins.open(i, Logins.Style.DEFAULT, "reader")) {
                states.add(reader.cells("proxy " + proxies.get(i).getPort(), through));
            }
        }
        Verdict cells = new Checker(rows, 0).check(history, states);
        Verdict transactions = new JournalCheck(Rows.ACCOUNTS, Rows.BALANCE)
                .check(ran.journals(), ran.heard(), history.sessionOnlyWindows(), journals);
        List<String> failures = new ArrayList<>();
        if (!rowsDiffering.isEmpty()) {
            failures.add("rows that nobody touched differ: " + shown(rowsDiffering));
        }
        if (completed && !schemaDiffering.isEmpty()) {
            failures.add("the schema differs: " + shown(schemaDiffering));
        }
        if (completed) {
            failures.addAll(leftBehind());
        }
        return new Judgement(cells.and(transactions), rowsDiffering.size(), failures);
    }

    /** Neither server has anything of Eden's any more, and the source is what it was. */
    private List<String> leftBehind() throws SQLException {
        List<String> failures = new ArrayList<>();
        for (boolean onTarget : List.of(false, true)) {
            String side = onTarget ? "the target" : "the source";
            try (Connection server = databases.connect(onTarget)) {
                List<String> left = LeftBehind.on(server);
                if (!left.isEmpty()) {
                    failures.add("left behind on " + side + ": " + shown(new TreeSet<>(left)));
                }
            }
        }
        try (Connection source = databases.connect(false)) {
            Set<String> differing = StillRows.differing(schemaBefore, StillRows.schema(source));
            if (!differing.isEmpty()) {
                failures.add("the schema of the source differs: " + shown(differing));
            }
        }
        return failures;
    }

    private static String shown(Set<String> names) {
        return String.join("; ", names.stream().limit(SHOWN).toList())
                + (names.size() > SHOWN ? " and " + (names.size() - SHOWN) + " more" : "");
    }
}
