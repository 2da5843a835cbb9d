import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The windowed workloads that the benchmark kit does not have, as an ordinary Kafka Streams user would write them; settings as
 * those of the kit's reference application.
 *
 * Arguments: workload (b3h, b3s), brokers, application id, output topic, guarantee, commit interval in ms, state directory.
 */
public final class WindowedStreams {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final long CACHE_BYTES = 10 * 1024 * 1024;

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Reading(String id, long ts, int valueInW) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Event(String id, long ts, long seq, String note) {}

  record Activity(long count, long last) {
    Activity add(long seq) {
      return new Activity(count + 1, Math.max(last, seq));
    }

    Activity merge(Activity other) {
      return new Activity(count + other.count, Math.max(last, other.last));
    }
  }

  record Stats(long count, double sum, double min, double max, double mean, double m2) {
    Stats add(double value) {
      double delta = value - mean;
      double newMean = mean + delta / (count + 1);
      return new Stats(
          count + 1,
          sum + value,
          count == 0 ? value : Math.min(min, value),
          count == 0 ? value : Math.max(max, value),
          newMean,
          m2 + delta * (value - newMean));
    }
  }

  public static void main(String[] args) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[1]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[4]);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Long.parseLong(args[5]));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[6]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");

    StreamsBuilder builder = new StreamsBuilder();
    build(builder, args[0], args[3]);
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setStateListener((now, before) -> System.out.printf("{\"state\":\"%s\"}%n", now));
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
    streams.start();
  }

  private static void build(StreamsBuilder builder, String workload, String output) {
    switch (workload) {
      case "b3h" -> hoppingStatistics(builder, output);
      case "b3s" -> sessions(builder, output);
      default -> throw new IllegalArgumentException("no workload " + workload + ": give b3h or b3s");
    }
  }

  private static void hoppingStatistics(StreamsBuilder builder, String output) {
    builder.stream("b3-in", Consumed.with(Serdes.String(), json(Reading.class)))
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)).advanceBy(Duration.ofSeconds(20)))
        .aggregate(
            () -> new Stats(0, 0, 0, 0, 0, 0),
            (key, reading, stats) -> stats.add(reading.valueInW()),
            Materialized.<String, Stats, WindowStore<Bytes, byte[]>>as("stats")
                .withKeySerde(Serdes.String())
                .withValueSerde(json(Stats.class)))
        .toStream((windowed, stats) -> windowed.key() + "@" + windowed.window().start())
        .to(output, Produced.with(Serdes.String(), json(Stats.class)));
  }

  private static void sessions(StreamsBuilder builder, String output) {
    builder.stream("b2a-in", Consumed.with(Serdes.String(), json(Event.class)))
        .groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(10)))
        .aggregate(
            () -> new Activity(0, -1),
            (key, event, activity) -> activity.add(event.seq()),
            (key, left, right) -> left.merge(right),
            Materialized.<String, Activity, SessionStore<Bytes, byte[]>>as("sessions")
                .withKeySerde(Serdes.String())
                .withValueSerde(json(Activity.class)))
        .toStream((windowed, activity) -> windowed.key() + "@" + windowed.window().start() + "-" + windowed.window().end())
        .to(output, Produced.with(Serdes.String(), json(Activity.class)));
  }

  private static <T> Serde<T> json(Class<T> type) {
    ObjectReader reader = MAPPER.readerFor(type);
    ObjectWriter writer = MAPPER.writerFor(type);
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : writer.writeValueAsBytes(value);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        },
        (topic, bytes) -> {
          try {
            return bytes == null ? null : reader.readValue(bytes);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }
}
