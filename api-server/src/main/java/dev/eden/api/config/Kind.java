package dev.eden.api.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a setting's value looks like. */
public sealed interface Kind {
    Kind TEXT = new Text();
    Kind FILE = new File();
    Kind ADDRESS = new Address();
    Kind URL = new Url();
    Kind DATABASE = new DatabaseAddress();
    Kind BOOLEAN = new Bool();
    Kind DURATION = new Time();
    Kind SECRET = new Secret();
    Kind NETWORKS = new AddressList();
    Kind NAMES = new NameList();

    static Kind integer(long least, long most) {
        return new Whole(least, most);
    }

    static Kind choice(String... values) {
        return new Choice(List.of(values));
    }

    /** What is wrong with a value, without the value itself where it may be secret; empty: nothing. */
    Optional<String> problem(String value);

    /** For the document. */
    String label();

    record Text() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return value.isBlank() ? Optional.of("must not be empty") : Optional.empty();
        }

        @Override
        public String label() {
            return "text";
        }
    }

    record File() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return value.isBlank() || value.indexOf('\0') >= 0 ? Optional.of("must be a path") : Optional.empty();
        }

        @Override
        public String label() {
            return "path";
        }
    }

    record Address() implements Kind {
        private static final Pattern FORM = Pattern.compile("(\\[[0-9a-fA-F:.%]+]|[^:\\s]+):(\\d{1,5})");

        @Override
        public Optional<String> problem(String value) {
            Matcher matcher = FORM.matcher(value);
            return matcher.matches() && Integer.parseInt(matcher.group(2)) <= 65_535
                    ? Optional.empty()
                    : Optional.of("must be HOST:PORT, for example 0.0.0.0:6379");
        }

        @Override
        public String label() {
            return "HOST:PORT";
        }
    }

    record Url() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            try {
                URI uri = new URI(value);
                return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) && uri.getHost() != null
                        ? Optional.empty()
                        : Optional.of("must begin with http:// or https://");
            } catch (URISyntaxException e) {
                return Optional.of("is not a URL");
            }
        }

        @Override
        public String label() {
            return "URL";
        }
    }

    record DatabaseAddress() implements Kind {
        private static final Pattern FORM = Pattern.compile("(?:jdbc:)?postgres(?:ql)?://\\S+");

        @Override
        public Optional<String> problem(String value) {
            return FORM.matcher(value).matches()
                    ? Optional.empty()
                    : Optional.of("must be of the form postgresql://user@host:port/database");
        }

        @Override
        public String label() {
            return "URL";
        }

        /** A password in the URL is one in the file. */
        static boolean hasPassword(String value) {
            return value.matches("(?s).*://[^/@]*:[^/@]*@.*") || value.matches("(?s).*[?&]password=.*");
        }
    }

    record Bool() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return value.equals("true") || value.equals("false")
                    ? Optional.empty()
                    : Optional.of("must be true or false");
        }

        @Override
        public String label() {
            return "true, false";
        }
    }

    record Time() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return value.equals("0") || DurationText.parse(value).isPresent() && !value.endsWith("ms")
                    ? Optional.empty()
                    : Optional.of("must be a duration such as 30s, 15m, 12h, 90d, or 0");
        }

        @Override
        public String label() {
            return "duration";
        }

        static Duration parse(String value) {
            return DurationText.parse(value).orElse(Duration.ZERO);
        }
    }

    record Secret() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return value.isBlank() ? Optional.of("must not be empty") : Optional.empty();
        }

        @Override
        public String label() {
            return "secret";
        }
    }

    record AddressList() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            try {
                Networks.parse(value);
                return Optional.empty();
            } catch (IllegalArgumentException e) {
                return Optional.of(
                        "must be addresses or CIDR blocks with commas between them, for example 10.0.0.5, 10.1.0.0/16");
            }
        }

        @Override
        public String label() {
            return "addresses, CIDR blocks";
        }
    }

    record NameList() implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return parse(value).stream().anyMatch(String::isEmpty)
                    ? Optional.of("must be names with commas between them")
                    : Optional.empty();
        }

        @Override
        public String label() {
            return "names";
        }

        static List<String> parse(String value) {
            return Arrays.stream(value.split(",", -1)).map(String::strip).toList();
        }
    }

    record Whole(long least, long most) implements Kind {
        @Override
        public Optional<String> problem(String value) {
            try {
                long number = Long.parseLong(value);
                return number >= least && number <= most
                        ? Optional.empty()
                        : Optional.of("must be between " + least + " and " + most);
            } catch (NumberFormatException e) {
                return Optional.of("must be a whole number between " + least + " and " + most);
            }
        }

        @Override
        public String label() {
            return least + "–" + most;
        }
    }

    record Choice(List<String> values) implements Kind {
        @Override
        public Optional<String> problem(String value) {
            return values.contains(value) ? Optional.empty() : Optional.of("must be " + String.join(" or ", values));
        }

        @Override
        public String label() {
            return String.join(", ", values);
        }
    }
}
