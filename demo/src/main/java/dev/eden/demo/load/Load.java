package dev.eden.demo.load;

/** Clients at work. */
public interface Load extends AutoCloseable {
    LoadStats stats();

    /** Seconds between start and stop (or now). */
    double seconds();

    /** Lets every client finish its request. Afterwards the history is complete. */
    @Override
    void close();
}
