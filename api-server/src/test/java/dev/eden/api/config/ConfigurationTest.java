package dev.eden.api.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.config.Setting.Verb;
import dev.eden.api.problem.StartupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationTest {
    @TempDir
    private Path folder;

    @Test
    void whatIsNoYamlHasAPlaceAndNoTrace() throws IOException {
        for (String text : List.of(
                "server: &s\n  api_port: 1\ndatabase: *s\n",
                "server:\n  api_port: 1\u0007\n",
                "a: ".repeat(3) + "[".repeat(99))) {
            ConfigFile file = ConfigFile.read(file(text));
            assertThat(file.faults()).as(text).isNotEmpty();
        }
        assertThat(ConfigFile.read(file("server:\n  api_port: 1\u0007\n")).faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.line()).isEqualTo(2));
    }

    @Test
    void aFlagWinsOverTheEnvironmentTheEnvironmentOverTheFileTheFileOverTheDefault() throws IOException {
        Path file = file("""
                server:
                  api_port: 1111
                  admin_port: 1111
                  api_host: "::1"
                retention:
                  finished: 90d
                """);
        Configuration configuration = Configuration.load(
                Verb.SERVER,
                Map.of(Setting.API_PORT, "3333"),
                Map.of("EDEN_API_PORT", "2222", "EDEN_ADMIN_PORT", "2222"),
                file);
        assertThat(configuration.number(Setting.API_PORT)).isEqualTo(3333);
        assertThat(configuration.number(Setting.ADMIN_PORT)).isEqualTo(2222);
        assertThat(configuration.text(Setting.API_HOST)).isEqualTo("::1");
        assertThat(configuration.text(Setting.ADMIN_HOST)).isEqualTo("0.0.0.0");
        assertThat(configuration.duration(Setting.RETENTION_FINISHED)).isEqualTo(Duration.ofDays(90));
        assertThat(configuration.duration(Setting.RETENTION_FINISHED)).isNotEqualTo(Duration.ZERO);
    }

    @Test
    void everythingThatIsWrongIsSaidAtOnceWithItsPlace() throws IOException {
        Path file = file("""
                database:
                  url: postgresql://eden:hunter2@db/eden
                  pasword_file: /x
                  password: hunter2
                server:
                  api_port: 70000
                  api_port: 8000
                  no_proxy: perhaps
                  listen: [a, b]
                serverr:
                  x: 1
                retention: 90d
                """);
        List<ConfigFile.Fault> faults = ConfigFile.read(file).faults();
        assertThat(faults)
                .extracting(fault -> fault.line() + ":" + fault.column() + " " + fault.message())
                .containsExactly(
                        "2:8 database.url has a password in it; put it into database.password_file or EDEN_DATABASE_PASSWORD",
                        "3:3 there is no setting database.pasword_file; did you mean database.password_file?",
                        "4:3 database.password would be a secret in this file; name a file with database.password_file, or use EDEN_DATABASE_PASSWORD",
                        "6:13 server.api_port must be between 0 and 65535",
                        "7:3 server.api_port is there twice",
                        "8:13 server.no_proxy must be true or false",
                        "9:11 server.listen is one value",
                        "10:1 there is no setting serverr; docs/configuration.md lists all",
                        "12:12 retention is a section with settings");
        assertThat(faults.toString()).doesNotContain("hunter2");
        assertThatThrownBy(() -> Configuration.load(Verb.SERVER, Map.of(), Map.of("EDEN_ADMIN_PORT", "x"), file))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining(file + ":6:13:")
                .hasMessageContaining("EDEN_ADMIN_PORT must be a whole number");
    }

    @Test
    void whatIsNoYamlAndWhatIsNotThereIsSaidToo() throws IOException {
        assertThat(ConfigFile.read(file("server: {api_port: 1\n")).faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.message()).startsWith("is not YAML"));
        assertThat(ConfigFile.read(folder.resolve("nothing.yaml")).faults()).hasSize(1);
        assertThat(ConfigFile.read(file("# nothing yet\n")).faults()).isEmpty();
    }

    @Test
    void aSecretComesFromItsVariableOrFromAFileThatIsNamed() throws IOException {
        Path inFile = Files.writeString(folder.resolve("a"), "from the file\n");
        Path inVariable = Files.writeString(folder.resolve("b"), "from the variable's file\n");
        Path file = file("database: {password_file: " + inFile + "}\n");
        assertThat(secret(Map.of(), file)).isEqualTo("from the file");
        assertThat(secret(Map.of("EDEN_DATABASE_PASSWORD_FILE", inVariable.toString()), file))
                .isEqualTo("from the variable's file");
        assertThat(secret(Map.of("EDEN_DATABASE_PASSWORD", "itself"), file)).isEqualTo("itself");
        assertThatThrownBy(() -> secret(Map.of(), file("database: {password_file: /nowhere}\n")))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("eden.yaml:1:27")
                .hasMessageContaining("/nowhere");
    }

    @Test
    void theDocumentHasEverySetting() throws IOException {
        String document = Files.readString(root().resolve("docs/configuration.md"));
        assertThat(document)
                .as("docs/configuration.md ends with this table")
                .endsWith("\n\n" + SettingsDocument.table());
        String yaml = document.substring(document.indexOf("```yaml\n") + 8);
        assertThat(ConfigFile.read(file(yaml.substring(0, yaml.indexOf("```")))).faults())
                .isEmpty();
    }

    @Test
    void theExampleWithItsCommentsTakenAwayIsRight() throws IOException {
        String live = SettingsDocument.example()
                .lines()
                .map(line -> line.replaceFirst("^# ?", ""))
                .filter(line -> !line.isBlank() && !line.endsWith(": ") && !line.startsWith("Eden's"))
                .reduce("", (all, line) -> all + line + "\n");
        assertThat(ConfigFile.read(file(live)).faults()).as(live).isEmpty();
    }

    @Test
    void aSafetySwitchThatIsMisspeltIsRefusedAndAnEmptyVariableIsNone() throws IOException {
        assertThatThrownBy(() -> Configuration.load(Verb.SERVER, Map.of(), Map.of("EDEN_REQUIRE_BACKUP", "yes"), null))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("EDEN_REQUIRE_BACKUP must be true or false");
        Path file = file("server:\n  require_backup: yes\n");
        assertThatThrownBy(() -> Configuration.load(Verb.SERVER, Map.of(), Map.of(), file))
                .hasMessageContaining(file + ":2:19: server.require_backup must be true or false");
        Map<String, String> ofCompose = Map.of(
                "EDEN_REQUIRE_BACKUP", "",
                "EDEN_API_CERT_FILE", "",
                "EDEN_API_KEY_FILE", "",
                "OTEL_EXPORTER_OTLP_ENDPOINT", "");
        Configuration configuration = Configuration.load(
                Verb.SERVER, Map.of(), ofCompose, file("server: {require_backup: true, api_cert_file: /c}\n"));
        assertThat(configuration.isTrue(Setting.REQUIRE_BACKUP)).isTrue();
        assertThat(configuration.text(Setting.API_CERT)).isEqualTo("/c");
        assertThat(configuration.text(Setting.API_KEY)).isNull();
        assertThat(configuration.text(Setting.TRACES_ENDPOINT)).isNull();
        assertThatThrownBy(() -> Configuration.load(
                        Verb.SERVER, Map.of(), Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), null))
                .hasMessageContaining("OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://");
    }

    @Test
    void aVariableThatIsNoSettingIsNamedWithTheNearestOneAndNeverItsValue() {
        Map<String, String> environment = new HashMap<>(Map.of(
                "EDEN_DATABSE_PASSWORD", "hunter2",
                "EDEN_REQUIRE_BACKUPS", "true",
                "EDEN_API_KEYFILE", "/k",
                "EDEN_WHATEVER_THIS_IS", "x",
                "EDEN_API_PRT", "1",
                "PATH", "/bin"));
        environment.putAll(Map.of(
                "EDEN_ENCRYPTION_KEY_FILE", "/key",
                "EDEN_TOKEN", "of the client",
                "EDEN_JAVA_OPTS", "-Xmx1g",
                "EDEN_SERVER_SERVICE_HOST", "10.0.0.1",
                "EDEN_SERVER_PORT", "tcp://10.0.0.1:8000",
                "EDEN_SERVER_PORT_8000_TCP_ADDR", "10.0.0.1"));
        assertThat(Configuration.load(Verb.SERVER, Map.of(), environment, null).unknownVariables())
                .containsExactly(
                        "there is no variable EDEN_API_KEYFILE; did you mean EDEN_API_KEY_FILE?",
                        "there is no variable EDEN_API_PRT; did you mean EDEN_API_PORT?",
                        "there is no variable EDEN_DATABSE_PASSWORD; did you mean EDEN_DATABASE_PASSWORD?",
                        "there is no variable EDEN_REQUIRE_BACKUPS; did you mean EDEN_REQUIRE_BACKUP?",
                        "there is no variable EDEN_WHATEVER_THIS_IS; docs/configuration.md lists all");
    }

    /** Else it is in no file, no document and no refusal. */
    @Test
    void whatTheSourcesCallAVariableIsASettingOrListed() throws IOException {
        List<Path> places = new ArrayList<>(
                List.of(root().resolve("eden"), root().resolve("Dockerfile"), root().resolve("docker-compose.yml")));
        Path sources = root().resolve("api-server/src/main/java");
        try (Stream<Path> walk = Files.walk(sources)) {
            walk.filter(Files::isRegularFile).forEach(places::add);
        }
        Pattern variable = Pattern.compile("EDEN_[A-Z][A-Z0-9_]*");
        for (Path place : places) {
            String text = Files.readString(place);
            assertThat(variable.matcher(text).results().map(MatchResult::group).filter(name -> !Variables.known(name)))
                    .as(place.toString())
                    .isEmpty();
            if (place.startsWith(sources) && !place.endsWith("cli/Terminal.java")) {
                assertThat(text).as(place.toString()).doesNotContain("System.getenv(");
            }
        }
    }

    @Test
    void whatTheStartWouldRefuseIsFoundBeforeWithItsPlace() throws IOException {
        Path text = Files.writeString(folder.resolve("text"), "hunter2\n");
        Path file = file("""
                database:
                  url: postgresql:///eden
                  password_file: /nowhere/password
                encryption:
                  key_file: KEY
                server:
                  api_host: no-such-host.invalid
                  admin_host: 192.0.2.1
                  admin_token_file: KEY
                  api_cert_file: /nowhere/cert
                  api_key_file: /nowhere/key
                temporal:
                  deployment: a.b
                """.replace("KEY", text.toString()));
        FakeTerminal.Result checked = new FakeTerminal(folder).run("config", "check", file.toString());
        assertThat(checked.code()).isEqualTo(2);
        assertThat(checked.err())
                .contains(file + ":2:8: the database's URL is not of the form")
                .contains(file + ":3:18: the file /nowhere/password can't be read")
                .contains(file + ":5:13: the encryption key is not 32 bytes in base64")
                .contains(file + ":7:13: server.api_host: the host no-such-host.invalid is unknown")
                .contains(file + ":8:15: server.admin_host: 192.0.2.1 is no address of this machine")
                .contains(file + ":9:21: the admin token is too short")
                .contains(file + ":10:18: the API's TLS file")
                .contains(file + ":13:15: temporal.deployment has a dot in it")
                .doesNotContain("hunter2");
        FakeTerminal.Result started = new FakeTerminal(folder).run("server", "--config", file.toString());
        assertThat(started.code()).isEqualTo(1);
        assertThat(faults(started)).as("the server's own words").isEqualTo(faults(checked));
    }

    @Test
    void aKeyThatCantBeReadOrMadeIsFoundAndNothingIsMade() throws IOException {
        String url = "database: {url: 'postgresql://eden@db/eden'}\n";
        Path plain = Files.writeString(folder.resolve("plain"), "x");
        Path file = file(url + "data_dir: " + plain.resolve("below") + "\n");
        FakeTerminal terminal = new FakeTerminal(folder);
        assertThat(terminal.run("config", "check", file.toString()).err())
                .contains(file + ":2:11: the encryption key file " + plain.resolve("below/encryption.key"));
        file(url + "encryption: {key_file: /nowhere/key}\nserver: {admin_token_file: /nowhere/token}\n");
        assertThat(terminal.run("config", "check", file.toString()).err())
                .contains(file + ":2:24: the file /nowhere/key can't be read")
                .contains(file + ":3:28: the file /nowhere/token can't be read");
        Path data = folder.resolve("data/below");
        file(url + "data_dir: " + data + "\n");
        FakeTerminal.Result right = terminal.run("config", "check", file.toString());
        assertThat(right.code()).as(right.err()).isZero();
        assertThat(data).doesNotExist();
        assertThat(terminal.run("config", "check", file.toString(), "--for", "proxy")
                        .err())
                .as("a proxy makes no key and has no name here")
                .contains(file + ":2:11: there is no encryption key", "the proxy has no name");
    }

    @Test
    void whatProxiesShowAndTrustIsLookedAtWhereTheyRun() throws IOException {
        String settings = """
                proxy:
                  name: p1
                  tls_cert_file: /nowhere/cert
                  tls_key_file: /nowhere/key
                  trusted_users: a, b
                """;
        Path file = file(settings);
        FakeTerminal terminal = new FakeTerminal(folder);
        assertThat(terminal.run("config", "check", file.toString(), "--for", "proxy")
                        .err())
                .contains(
                        file + ":3:18: the proxies' TLS file /nowhere/cert can't be read; correct proxy.tls_cert_file");
        assertThat(terminal.run("config", "check", file.toString()).err())
                .as("a server without a proxy inside")
                .doesNotContain("TLS file");
        for (String listen : List.of("listen", "listen_postgres")) {
            file(settings + "server: {" + listen + ": '127.0.0.1:0'}\n");
            assertThat(terminal.run("config", "check", file.toString()).err())
                    .as(listen)
                    .contains(file + ":3:18: the proxies' TLS file");
        }
        file("proxy: {name: p1, tls_key_file: /k}\n");
        assertThat(terminal.run("config", "check", file.toString(), "--for", "proxy")
                        .err())
                .contains(
                        file + ":1:33: TLS for clients of the proxies needs a certificate and its key",
                        "set both proxy.tls_cert_file (EDEN_PROXY_TLS_CERT_FILE) and proxy.tls_key_file");
        assertThat(ConfigFile.read(file("proxy: {trusted_users: 'a,,b'}\n")).faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.message())
                        .isEqualTo("proxy.trusted_users must be names with commas between them"));
    }

    @Test
    void authoritiesThatCanNotBeReadAreNamedByEveryProcess() throws IOException {
        Path text = Files.writeString(folder.resolve("text"), "hunter2\n");
        Path file = file("database: {url: 'postgresql://eden@127.0.0.1:1/eden'}\ntls: {ca_file: " + text + "}\n");
        FakeTerminal terminal = new FakeTerminal(folder);
        for (String process : List.of("server", "proxy")) {
            assertThat(terminal.run("config", "check", file.toString(), "--for", process)
                            .err())
                    .contains(file + ":2:16: the authorities' file " + text, "correct tls.ca_file (EDEN_TLS_CA_FILE)")
                    .doesNotContain("hunter2");
            FakeTerminal.Result refused =
                    terminal.run(process, "--config", file.toString(), "--tls-ca-file", "/nowhere/ca.pem");
            assertThat(refused.err())
                    .contains("--tls-ca-file: the authorities' file /nowhere/ca.pem can't be read")
                    .contains("correct tls.ca_file");
            assertThat(refused.code()).isNotZero();
        }
        FakeTerminal.Result dev = terminal.run("dev", "--tls-ca-file", "/nowhere/ca.pem");
        assertThat(dev.err()).contains("the authorities' file /nowhere/ca.pem can't be read", "correct tls.ca_file");
        assertThat(dev.code()).isNotZero();
    }

    @Test
    void withoutAFileTheEnvironmentIsChecked() throws IOException {
        FakeTerminal terminal = new FakeTerminal(folder)
                .with("EDEN_DATA_DIR", folder.resolve("data").toString())
                .with("EDEN_DATABSE_URL", "x");
        FakeTerminal.Result nothing = terminal.run("config", "check");
        assertThat(nothing.code()).isEqualTo(2);
        assertThat(nothing.err())
                .contains("Eden's database is not named")
                .as("why it is not")
                .contains("there is no variable EDEN_DATABSE_URL; did you mean EDEN_DATABASE_URL?");
        FakeTerminal.Result right =
                terminal.with("EDEN_DATABASE_URL", "postgresql://eden@db/eden").run("config", "check");
        assertThat(right.code()).as(right.err()).isZero();
        assertThat(right.out()).contains("the environment is right");
        assertThat(right.lastLine()).isEqualTo("next: eden server");
        assertThat(right.err())
                .contains("warning: there is no variable EDEN_DATABSE_URL; did you mean EDEN_DATABASE_URL?");
        assertThat(terminal.with("EDEN_ADMIN_TOKEN", "short")
                        .run("config", "check")
                        .err())
                .contains("EDEN_ADMIN_TOKEN: the admin token is too short");
        assertThat(terminal.with("EDEN_CONFIG", file("log: {format: xml}\n").toString())
                        .run("config", "check")
                        .err())
                .contains("eden.yaml:1:15: log.format must be text or json");
    }

    @Test
    void receiversHaveNamesAndTheirAddressesAreSecrets() throws IOException {
        Path url = Files.writeString(folder.resolve("url"), "https://hooks.example/hunter2\n");
        Path secret = Files.writeString(folder.resolve("secret"), "0123456789abcdef\n");
        Configuration configuration =
                Configuration.load(Verb.SERVER, Map.of(), Map.of(), file("""
                database: {url: 'postgresql://eden@db/eden'}
                notify:
                  receivers:
                    oncall:
                      url_file: URL
                      secret_file: SECRET
                    chat: {url: 'http://relay:8080/chat'}
                """.replace("URL", url.toString())
                        .replace("SECRET", secret.toString())));
        assertThat(configuration.receiverNames()).containsExactly("oncall", "chat");
        Receiver oncall = configuration.receiver("oncall");
        assertThat(oncall.url().reveal()).isEqualTo("https://hooks.example/hunter2");
        assertThat(Objects.requireNonNull(oncall.secret()).reveal()).isEqualTo("0123456789abcdef");
        assertThat(oncall.toString()).contains("oncall").doesNotContain("hunter2", "0123456789abcdef");
        assertThat(configuration.receiver("chat").secret()).isNull();
        FakeTerminal.Result right = new FakeTerminal(folder)
                .with("EDEN_DATA_DIR", folder.resolve("data").toString())
                .run("config", "check", folder.resolve("eden.yaml").toString());
        assertThat(right.code()).as(right.err()).isZero();
        assertThat(right.out())
                .containsPattern("notify.receivers.oncall +\\(a secret\\) +.*eden.yaml:4:5")
                .doesNotContain("hunter2", "relay");
        assertThat(ConfigFile.read(file("notify:\n")).faults()).isEmpty();
        assertThat(ConfigFile.read(file("notify: {receivers: }\n")).faults()).isEmpty();
    }

    @Test
    void aReceiverThatIsNoneIsRefusedWithItsPlace() throws IOException {
        List<ConfigFile.Fault> faults = ConfigFile.read(file("""
                notify:
                  receivrs: {}
                  receivers:
                    a: {url: 'ftp://hunter2/'}
                    b: {url: 'https://u:hunter2@h/'}
                    c: {url: 'https://h/', url_file: /f}
                    d: {secret_file: /f}
                    e: {url: 'https://h/', secret: hunter2}
                    f: {urll: 'https://hunter2/'}
                    g: https://hunter2/
                    h: {url: [a]}
                    'i j': {url: 'https://h/'}
                    k: {url: 'https://h/', url: 'https://h/'}
                    a: {url: 'https://h/'}
                    l: {url: 'https://h:99999/'}
                """)).faults();
        assertThat(faults)
                .extracting(fault -> fault.line() + ":" + fault.column() + " " + fault.message())
                .containsExactly(
                        "2:3 there is no setting notify.receivrs; docs/configuration.md lists all",
                        "4:14 notify.receivers.a.url must begin with http:// or https://",
                        "5:14 notify.receivers.b.url has a user in it, which would not be sent",
                        "6:5 notify.receivers.c has url and url_file, which are for the same: one of them",
                        "7:5 notify.receivers.d has no address: url, or url_file for one that is a secret",
                        "8:28 notify.receivers.e.secret would be a secret in this file; name a file with notify.receivers.e.secret_file",
                        "9:9 there is no setting notify.receivers.f.urll; there are url, url_file, secret_file",
                        "9:5 notify.receivers.f has no address: url, or url_file for one that is a secret",
                        "10:8 notify.receivers.g is a section with url or url_file, and secret_file",
                        "11:14 notify.receivers.h.url is one value",
                        "12:5 a receiver's name begins with a letter and has up to 63 letters, digits, '_', '.' or '-'",
                        "13:28 notify.receivers.k.url is there twice",
                        "14:5 notify.receivers.a is there twice",
                        "15:14 notify.receivers.l.url has a port that there is not");
        assertThat(faults.toString()).doesNotContain("hunter2");
        assertThat(ConfigFile.read(file("notify: {receivers: [a]}\n")).faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.toString())
                        .contains(":1:21: notify.receivers is a section with receivers by their names"));

        Path no = Files.writeString(folder.resolve("no"), "hunter2\n");
        Path file = file("""
                database: {url: 'postgresql://eden@db/eden'}
                notify:
                  receivers:
                    a: {url_file: NO}
                    b: {url_file: /nowhere/url}
                    c: {url: 'http://h/', secret_file: NO}
                """.replace("NO", no.toString()));
        FakeTerminal terminal = new FakeTerminal(folder)
                .with("EDEN_DATA_DIR", folder.resolve("data").toString());
        FakeTerminal.Result checked = terminal.run("config", "check", file.toString());
        assertThat(checked.err())
                .contains(file + ":4:19: the URL in the file " + no + " must begin with http:// or https://")
                .contains(file + ":5:19: the file /nowhere/url can't be read")
                .contains(file + ":6:40: the secret in the file " + no + " is too short")
                .doesNotContain("hunter2");
        assertThat(faults(terminal.run("server", "--config", file.toString()))).isEqualTo(faults(checked));
        assertThat(terminal.run("config", "check", file.toString(), "--for", "proxy")
                        .err())
                .as("a proxy tells nobody")
                .doesNotContain("receivers", "secret in the file");
    }

    private static List<String> faults(FakeTerminal.Result result) {
        return result.err().lines().filter(line -> line.startsWith("  ")).toList();
    }

    private String secret(Map<String, String> environment, Path file) {
        return Configuration.load(Verb.PROXY, Map.of(), environment, file)
                .secret(Setting.DATABASE_PASSWORD)
                .orElseThrow()
                .reveal();
    }

    private static Path root() {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("docs/configuration.md"))) {
            root = Objects.requireNonNull(root.getParent());
        }
        return root;
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("eden.yaml"), text);
    }
}
