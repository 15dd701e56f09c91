import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Counts outcomes by officer, answer and day on one thread, as one would with Kafka Streams: outcomes have the
 * officer as their key, so a processor with a store of its own needs no repartitioning.
 *
 * <p>Arguments: bootstrap, topic, guarantee, records, records not timed (warming up), application id, folder of
 * the state. Prints one line of JSON.
 */
public final class OutcomeCounts {
  private static final String STORE = "counts";
  private static final ZoneId CITY = ZoneId.of("Asia/Ho_Chi_Minh");
  private static final long PATIENCE_SECONDS = 180;

  private static long wanted;
  private static long warm;
  private static long seen;
  private static long begunNanos;
  private static Duration begunCpu;
  private static volatile long endedNanos;
  private static volatile Duration endedCpu;
  private static final CountDownLatch done = new CountDownLatch(1);

  public static void main(String[] arguments) throws Exception {
    wanted = Long.parseLong(arguments[3]);
    warm = Long.parseLong(arguments[4]);
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[2]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[5]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[6]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 * 1024 * 1024);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.Long())
            .withCachingEnabled());
    builder
        .stream(arguments[1], Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .process(Counting::new, STORE);
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            System.exit(1);
            return null;
          });
      streams.start();
      if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("only " + seen + " of " + wanted + " records came in time");
        System.exit(1);
      }
      Thread.sleep(500); // the last commit
      print(streams);
    }
  }

  private static void print(KafkaStreams streams) {
    ReadOnlyKeyValueStore<String, Long> store =
        streams.store(StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.keyValueStore()));
    TreeMap<String, Long> totals = new TreeMap<>();
    try (KeyValueIterator<String, Long> all = store.all()) {
      all.forEachRemaining(each -> totals.merge(each.key.split("\\|")[1], each.value, Long::sum));
    }
    StringBuilder text = new StringBuilder();
    totals.forEach((answer, count) -> text.append(text.isEmpty() ? "" : ", ").append('"').append(answer)
        .append("\": ").append(count));
    double seconds = (endedNanos - begunNanos) / 1e9;
    double cpu = endedCpu.minus(begunCpu).toNanos() / 1e9;
    System.out.println("{\"count\": " + (wanted - warm) + ", \"seconds\": " + seconds + ", \"cpu\": " + cpu
        + ", \"answers\": {" + text + "}}");
  }

  private static Duration cpu() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
  }

  private static final class Counting extends ContextualProcessor<String, byte[], Void, Void> {
    private final JsonFactory json = new JsonFactory();
    private KeyValueStore<String, Long> counts;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      super.init(context);
      counts = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
      String officer = "";
      String answer = "rejected";
      String submitted = "";
      try (JsonParser parser = json.createParser(record.value())) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          switch (name) {
            case "officer_id" -> officer = parser.getText();
            case "answer" -> answer = parser.getText();
            case "submitted_at" -> submitted = parser.getText();
            default -> parser.skipChildren();
          }
        }
      } catch (IOException error) {
        throw new IllegalArgumentException(error);
      }
      String day = OffsetDateTime.parse(submitted).atZoneSameInstant(CITY).toLocalDate().toString();
      String key = officer + '|' + answer + '|' + day;
      Long before = counts.get(key);
      counts.put(key, before == null ? 1L : before + 1);
      seen++;
      if (seen == warm) {
        begunCpu = cpu();
        begunNanos = System.nanoTime();
      } else if (seen == wanted) {
        endedNanos = System.nanoTime();
        endedCpu = cpu();
        done.countDown();
      }
    }
  }
}
