package dev.eden.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The PostgreSQL binaries of {@code io.zonky.test.postgres}, unpacked into the {@link Cache}, with a freshly initialised
 * cluster beside them that new ones are copied from (initdb takes over a second, a copy a tenth of it).
 */
final class PostgresInstallation {
    static final String PASSWORD_FILE = "eden-password";

    private final int major;
    private final Path home;
    private final ServiceAccount account;

    private PostgresInstallation(int major, Path home, ServiceAccount account) {
        this.major = major;
        this.home = home;
        this.account = account;
    }

    static PostgresInstallation ofThisMachine(int major) {
        ServiceAccount account = ServiceAccount.ofThisProcess();
        String entry = "postgres/" + PostgresBinaries.version(major);
        return new PostgresInstallation(
                major, Cache.entry(account.cacheRoot(), entry, work -> PostgresBinaries.unpack(major, work)), account);
    }

    /** The command line of one of the programs, run as somebody PostgreSQL accepts who can reach the data directory. */
    List<String> command(String program, Path data, List<String> arguments) {
        var line = new ArrayList<>(account.prefix(List.of(home, data)));
        line.add(home.resolve("bin").resolve(program).toString());
        line.addAll(arguments);
        return line;
    }

    /** Makes the cluster if the directory has none; returns the password of its superuser. */
    String createCluster(Path data) {
        try {
            if (!Files.exists(data.resolve("PG_VERSION"))) {
                Path template = Cache.entry(
                        account.cacheRoot(),
                        "postgres/cluster-" + PostgresBinaries.version(major) + "-" + account.name(),
                        this::initialise);
                copy(template, data);
                account.own(data);
            }
            return Files.readString(data.resolve(PASSWORD_FILE)).strip();
        } catch (IOException e) {
            throw new EmbeddedServerException("could not make a PostgreSQL data directory in " + data + ": " + e, e);
        }
    }

    private void initialise(Path work) throws IOException {
        var random = new byte[16];
        new SecureRandom().nextBytes(random);
        String password = HexFormat.of().formatHex(random);
        Path passwordFile = Files.createTempFile("eden-postgres-", ".password");
        try {
            Files.writeString(passwordFile, password + "\n");
            account.own(passwordFile);
            Files.createDirectory(work);
            account.own(work);
            var arguments = new ArrayList<>(List.of(
                    "-D",
                    work.toString(),
                    "-U",
                    EmbeddedPostgres.USER,
                    "--pwfile=" + passwordFile,
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C"));
            if (major >= 17) {
                arguments.addAll(List.of("--locale-provider=builtin", "--builtin-locale=C.UTF-8"));
            }
            run(work, "initdb", arguments, "");
            run(
                    work,
                    "postgres",
                    List.of("--single", "-D", work.toString(), "template1"),
                    "CREATE DATABASE " + EmbeddedPostgres.DATABASE + "\n");
        } finally {
            Files.deleteIfExists(passwordFile);
        }
        Path kept = Files.createFile(
                work.resolve(PASSWORD_FILE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(kept, password + "\n");
        account.own(kept);
    }

    private void run(Path data, String program, List<String> arguments, String input) throws IOException {
        Path log = Files.createTempFile("eden-" + program + "-", ".log");
        try {
            var builder = new ProcessBuilder(command(program, data, arguments))
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            builder.environment().putAll(Map.of("LC_ALL", "C"));
            Process process = builder.start();
            try (OutputStream stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            }
            if (!process.waitFor(120, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(program + " did not end within 120 s:\n" + Files.readString(log));
            }
            if (process.exitValue() != 0) {
                throw new IOException(program + " ended with " + process.exitValue() + ":\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while running " + program, e);
        } finally {
            Files.deleteIfExists(log);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                Path made = to.resolve(from.relativize(folder));
                Files.createDirectories(made);
                Files.setPosixFilePermissions(made, Files.getPosixFilePermissions(folder));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Path made = to.resolve(from.relativize(file));
                Files.copy(file, made);
                Files.setPosixFilePermissions(made, Files.getPosixFilePermissions(file));
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
