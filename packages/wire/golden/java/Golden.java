import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Entry point: writes all fixtures into the folder given as the only argument. */
public final class Golden {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        write(folder.resolve("messages.jsonl"), GoldenMessages.all());
        write(folder.resolve("headers.jsonl"), GoldenMessages.headers());
        write(folder.resolve("consumer-protocol.jsonl"), GoldenMessages.consumerProtocol());
        write(folder.resolve("record-batches.jsonl"), GoldenRecords.batches());
        write(folder.resolve("checksums.jsonl"), GoldenRecords.checksums());
        write(folder.resolve("error-codes.jsonl"), GoldenMessages.errorCodes());
    }

    /** One case per line, so that a difference shows which one it is. */
    private static void write(Path file, List<? extends JsonNode> cases) throws IOException {
        String lines = cases.stream().map(JsonNode::toString).collect(Collectors.joining("\n"));
        Files.writeString(file, lines + "\n");
        System.out.println(file + ": " + cases.size() + " cases");
    }

    static String hex(byte[] bytes) {
        return java.util.HexFormat.of().formatHex(bytes);
    }
}
