package dev.eden.demo.chaos;

import dev.eden.demo.history.History.Window;
import java.util.ArrayList;
import java.util.List;

/** What became of one fault; filled in while it runs, block times once the load has ended. */
final class FaultReport {
    final int number;
    final Fault fault;
    final List<String> notes = new ArrayList<>();
    final List<String> anomalies = new ArrayList<>();
    String outcome = "not reached";
    Victim struck;
    /** From the blow to the moment when everything was as before, in microseconds of the history. */
    Window window = new Window(0, 0);
    /** When the victim served again. */
    long backAt;

    long unsettledMillis;
    double blockMillis;
    double blockVictimMillis;

    FaultReport(int number, Fault fault) {
        this.number = number;
        this.fault = fault;
        this.struck = fault.victim();
    }

    boolean happened() {
        return window.to() > 0;
    }
}
