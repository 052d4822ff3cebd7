package dev.eden.demo.check;

import dev.eden.demo.history.Heard;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Journal;
import dev.eden.demo.history.Journal.Batch;
import dev.eden.demo.history.Journal.Insert;
import dev.eden.demo.history.Journal.ListTransaction;
import dev.eden.demo.history.Journal.Notice;
import dev.eden.demo.history.Journal.Snapshot;
import dev.eden.demo.history.Journal.Transfer;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Judges what {@link Checker} cannot: rows and their numbers, batches, transfers and the sum of all money, notifications, serializable
 * transactions. Whatever was acknowledged is there once; whatever was rolled back is not; what is in doubt is there whole or not at all.
 */
public final class JournalCheck {
    /** What was said just before a listener lost its connection may have been on its way and is lost with it. */
    private static final long ON_ITS_WAY_MICROS = 1_000_000;

    private final long accounts;
    private final long balance;

    /** @param balance of each account in the beginning */
    public JournalCheck(long accounts, long balance) {
        this.accounts = accounts;
        this.balance = balance;
    }

    /**
     * @param sessionOnly as in {@link dev.eden.demo.history.History#sessionOnly}
     * @param end as the owner of the writes has it when the load is over
     */
    public Verdict check(List<Journal> journals, List<Heard> heard, List<Window> sessionOnly, JournalState end) {
        Findings findings = new Findings();
        List<ListTransaction> transactions =
                journals.stream().flatMap(j -> j.transactions().stream()).toList();
        List<Insert> inserts =
                journals.stream().flatMap(j -> j.inserts().stream()).toList();
        List<Batch> batches =
                journals.stream().flatMap(j -> j.batches().stream()).toList();
        List<Transfer> transfers =
                journals.stream().flatMap(j -> j.transfers().stream()).toList();
        List<Notice> notices =
                journals.stream().flatMap(j -> j.notices().stream()).toList();
        new ListCheck(findings, sessionOnly).check(transactions, end.lists());
        inserts(findings, inserts, end.inserts());
        batches(findings, batches, end.batches());
        transfers(findings, transfers, end);
        for (Journal journal : journals) {
            int place = 0;
            for (Snapshot snapshot : journal.snapshots()) {
                snapshot(findings, journal.client() + "/" + place++, snapshot);
            }
            int surprises = 0;
            for (String surprise : journal.surprises()) {
                findings.add(
                        Anomaly.WRONG,
                        "answer",
                        journal.client() + "/" + surprises++,
                        "client " + journal.client() + ": " + surprise);
            }
        }
        heard.forEach(listener -> notices(findings, notices, listener));
        List<Outcome> outcomes = new ArrayList<>();
        transactions.forEach(transaction -> outcomes.add(transaction.outcome()));
        inserts.forEach(insert -> outcomes.add(insert.outcome()));
        batches.forEach(batch -> outcomes.add(batch.outcome()));
        transfers.forEach(transfer -> outcomes.add(transfer.outcome()));
        notices.forEach(notice -> outcomes.add(notice.outcome()));
        return new Verdict(
                outcomes.size()
                        + journals.stream().mapToLong(j -> j.snapshots().size()).sum(),
                outcomes.stream().filter(outcome -> outcome == Outcome.OK).count(),
                outcomes.stream().filter(outcome -> outcome == Outcome.IN_DOUBT).count(),
                findings.counts(),
                findings.examples());
    }

    private static void inserts(Findings findings, List<Insert> inserts, List<JournalState.Row> rows) {
        Map<Long, Insert> sent = new HashMap<>();
        inserts.forEach(insert -> sent.put(insert.token(), insert));
        Map<Long, JournalState.Row> there = new HashMap<>();
        Set<Long> ids = new HashSet<>();
        Set<Long> numbers = new HashSet<>();
        for (JournalState.Row row : rows) {
            String what = "row " + Checker.id(row.token());
            Insert insert = sent.get(row.token());
            if (insert == null || insert.outcome() == Outcome.FAILED) {
                findings.add(
                        Anomaly.WRONG,
                        "ledger",
                        row.token(),
                        what + (insert == null ? " was never inserted" : " was rolled back"));
            } else if (there.putIfAbsent(row.token(), row) != null) {
                findings.add(Anomaly.DUPLICATED, "ledger", "row " + row.token(), what + " is there twice");
                continue;
            } else if (insert.outcome() == Outcome.OK && (insert.id() != row.id() || insert.number() != row.number())) {
                findings.add(
                        Anomaly.WRONG,
                        "ledger",
                        row.token(),
                        what + " has the numbers " + row.id() + " and " + row.number() + ", the answer said "
                                + insert.id() + " and " + insert.number());
            }
            unique(findings, ids, row.id(), "id");
            unique(findings, numbers, row.number(), "number");
        }
        for (Insert insert : inserts) {
            if (insert.outcome() == Outcome.OK && !there.containsKey(insert.token())) {
                findings.add(Anomaly.LOST, "ledger", insert.token(), "row " + Checker.id(insert.token()) + " is gone");
                unique(findings, ids, insert.id(), "id");
                unique(findings, numbers, insert.number(), "number");
            }
        }
    }

    private static void unique(Findings findings, Set<Long> given, long number, String what) {
        if (!given.add(number)) {
            findings.add(
                    Anomaly.DUPLICATED, "ledger", what + number, "the " + what + " " + number + " was given twice");
        }
    }

    private static void batches(Findings findings, List<Batch> batches, Map<Long, JournalState.Lines> there) {
        Map<Long, JournalState.Lines> left = new HashMap<>(there);
        for (Batch batch : batches) {
            JournalState.Lines lines = left.remove(batch.token());
            long rows = lines == null ? 0 : lines.rows();
            long different = lines == null ? 0 : lines.different();
            String what = "batch " + Checker.id(batch.token()) + " of " + batch.lines() + " lines";
            if (batch.outcome() == Outcome.FAILED) {
                if (rows > 0) {
                    findings.add(Anomaly.WRONG, "imports", batch.token(), what + " was refused, and is there");
                }
            } else if (rows > different || rows > batch.lines()) {
                findings.add(Anomaly.DUPLICATED, "imports", batch.token(), what + " has " + rows + " rows");
            } else if (rows == 0) {
                if (batch.outcome() == Outcome.OK) {
                    findings.add(Anomaly.LOST, "imports", batch.token(), what + " is gone");
                }
            } else if (rows < batch.lines()) {
                findings.add(Anomaly.TORN, "imports", batch.token(), what + " has " + rows + " rows");
            }
            if (lines != null && !lines.sound()) {
                findings.add(Anomaly.WRONG, "imports", "text " + batch.token(), what + " has another text");
            }
        }
        left.forEach((token, lines) -> findings.add(
                Anomaly.WRONG,
                "imports",
                token,
                lines.rows() + " rows of batch " + Checker.id(token) + ", which nobody sent"));
    }

    private void transfers(Findings findings, List<Transfer> transfers, JournalState end) {
        Map<Long, Transfer> sent = new HashMap<>();
        transfers.forEach(transfer -> sent.put(transfer.token(), transfer));
        Set<Long> there = new HashSet<>();
        Map<Integer, Long> moved = new HashMap<>();
        for (JournalState.Transferred row : end.transfers()) {
            Transfer transfer = sent.get(row.token());
            String what = "transfer " + Checker.id(row.token());
            moved.merge(row.debit(), -row.amount(), Long::sum);
            moved.merge(row.credit(), row.amount(), Long::sum);
            if (transfer == null || transfer.outcome() == Outcome.FAILED) {
                findings.add(
                        Anomaly.WRONG,
                        "transfers",
                        row.token(),
                        what + (transfer == null ? " was never made" : " was rolled back"));
            } else if (!there.add(row.token())) {
                findings.add(Anomaly.DUPLICATED, "transfers", row.token(), what + " is there twice");
            } else if (transfer.debit() != row.debit()
                    || transfer.credit() != row.credit()
                    || transfer.amount() != row.amount()) {
                findings.add(Anomaly.WRONG, "transfers", row.token(), what + " is not what was sent");
            }
        }
        for (Transfer transfer : transfers) {
            if (transfer.outcome() == Outcome.OK && !there.contains(transfer.token())) {
                findings.add(
                        Anomaly.LOST,
                        "transfers",
                        transfer.token(),
                        "transfer " + Checker.id(transfer.token()) + " is gone");
            }
        }
        for (int account = 0; account < accounts; account++) {
            Long stands = end.balances().get(account);
            long should = balance + moved.getOrDefault(account, 0L);
            if (stands == null) {
                findings.add(Anomaly.LOST, "account " + account, account, "it is gone");
            } else if (stands != should) {
                findings.add(
                        Anomaly.TORN,
                        "account " + account,
                        account,
                        "it stands at " + stands + ", its transfers say " + should);
            }
        }
        long sum = end.balances().values().stream().mapToLong(Long::longValue).sum();
        snapshot(findings, "end", new Snapshot(0, end.balances().size(), sum));
    }

    private void snapshot(Findings findings, String subject, Snapshot snapshot) {
        if (snapshot.accounts() != accounts || snapshot.sum() != accounts * balance) {
            findings.add(
                    Anomaly.TORN,
                    "accounts",
                    subject,
                    snapshot.accounts() + " accounts with " + snapshot.sum() + " together, not " + accounts + " with "
                            + accounts * balance);
        }
    }

    /** A notification reaches whoever listens when its transaction commits, in the order of commits. */
    private static void notices(Findings findings, List<Notice> notices, Heard heard) {
        Map<Long, Notice> sent = new HashMap<>();
        notices.forEach(notice -> sent.put(notice.token(), notice));
        Set<Long> there = new HashSet<>();
        Notice latest = null;
        for (long token : heard.tokens()) {
            Notice notice = sent.get(token);
            String what = "notification " + Checker.id(token);
            if (notice == null || notice.outcome() == Outcome.FAILED) {
                findings.add(
                        Anomaly.WRONG,
                        heard.listener(),
                        token,
                        what + (notice == null ? " was never sent" : " was rolled back"));
                continue;
            }
            if (!there.add(token)) {
                findings.add(Anomaly.DUPLICATED, heard.listener(), token, what + " was heard twice");
                continue;
            }
            if (latest != null && notice.returned() < latest.invoked()) {
                findings.add(
                        Anomaly.REORDERED,
                        heard.listener(),
                        token,
                        what + " came after " + Checker.id(latest.token()) + ", which was sent later");
            }
            if (latest == null || notice.invoked() > latest.invoked()) {
                latest = notice;
            }
        }
        for (Notice notice : notices) {
            boolean listening = notice.invoked() > heard.since()
                    && heard.deaf().stream()
                            .noneMatch(gap -> gap.overlaps(notice.invoked(), notice.returned() + ON_ITS_WAY_MICROS));
            if (notice.outcome() == Outcome.OK && listening && !there.contains(notice.token())) {
                findings.add(
                        Anomaly.LOST,
                        heard.listener(),
                        notice.token(),
                        "notification " + Checker.id(notice.token()) + " was not heard");
            }
        }
    }
}
