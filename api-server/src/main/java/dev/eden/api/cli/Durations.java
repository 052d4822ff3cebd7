package dev.eden.api.cli;

import dev.eden.api.config.DurationText;
import java.time.Duration;
import java.util.function.LongFunction;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as options, in the form of the settings; a number alone is of the unit that the option always had. */
final class Durations {
    private Durations() {}

    static final class Seconds implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            return parsed(text, Duration::ofSeconds);
        }
    }

    static final class Millis implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            return parsed(text, Duration::ofMillis);
        }
    }

    private static Duration parsed(String text, LongFunction<Duration> unit) {
        return text.matches("\\d{1,9}")
                ? unit.apply(Long.parseLong(text))
                : DurationText.parse(text)
                        .orElseThrow(() -> new TypeConversionException("'" + text
                                + "' is no duration: a whole number and ms, s, m, h or d, such as 90s or 2h"));
    }

    /** For people: {@link StatusText#duration} has no word for less than a second. */
    static String text(Duration duration) {
        return duration.toMillis() % 1_000 == 0 ? StatusText.duration(duration) : duration.toMillis() + " ms";
    }
}
