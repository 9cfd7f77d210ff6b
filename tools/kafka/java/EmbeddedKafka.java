import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/**
 * One Kafka broker and controller in one JVM: {@code EmbeddedKafka FILE.properties [key=value ...]}.
 * Formats {@code log.dirs} on the first start, prints one JSON line when it serves, and stops in order on
 * SIGTERM or when its standard input closes, so that it never outlives the process that started it.
 */
public final class EmbeddedKafka {
  private static volatile boolean serves = false;

  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    try (InputStream in = Files.newInputStream(Path.of(args[0]))) {
      settings.load(in);
    }
    for (int i = 1; i < args.length; i++) {
      String[] pair = args[i].split("=", 2);
      settings.setProperty(pair[0], pair[1]);
    }
    exitWithParent();
    formatWhenNew(settings);

    KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(settings, false), Time.SYSTEM);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
    try {
      server.startup();
    } catch (Throwable failure) {
      // Half a start leaves threads that keep the JVM alive, and an orderly shutdown waits for the other half.
      failure.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
    serves = true;
    System.out.println("{\"ready\":true}");
    System.out.flush();
    server.awaitShutdown();
  }

  /** A format that was interrupted left no meta.properties and is simply done again. */
  private static void formatWhenNew(Properties settings) throws Exception {
    Path logs = Path.of(settings.getProperty("log.dirs"));
    Files.createDirectories(logs);
    if (Files.exists(logs.resolve("meta.properties"))) return;
    Path file = Files.createTempFile(logs.getParent(), "format", ".properties");
    try {
      try (OutputStream out = Files.newOutputStream(file)) {
        settings.store(out, null);
      }
      ByteArrayOutputStream said = new ByteArrayOutputStream();
      String[] command = {
        "format", "--ignore-formatted", "-t", Uuid.randomUuid().toString(), "-c", file.toString()
      };
      int code = StorageTool.execute(command, new PrintStream(said));
      if (code != 0) {
        System.err.println(said);
        System.exit(code);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static void exitWithParent() {
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) continue;
      } catch (IOException closed) {
        // A broken pipe means the same as its end.
      }
      if (serves) System.exit(0);
      // An orderly shutdown in the middle of a start can wait for ever; the log is safe against a halt.
      Runtime.getRuntime().halt(1);
    });
    watch.setDaemon(true);
    watch.start();
  }
}
