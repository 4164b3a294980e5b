class SuppressionList {
  private final Set<String> suppressed = new HashSet<>();
  private final Mac mac = Mac.getInstance("HmacSHA256");

  SuppressionList() throws Exception {
    var text = Files.readString(Path.of("ledger.key"));
    var key = HexFormat.of().parseHex(text.trim());
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    var said = new HashMap<String, String>();
    var list = Path.of("suppressed.txt");
    for (var line : Files.readAllLines(list)) {
      var part = line.split(": ", 2);
      if (!line.startsWith("#")) suppressed.add(line);
      else said.put(part[0], part[part.length - 1]);
    }
    var people = String.valueOf(suppressed.size());
    var made = keyed("dsr ledger key\0fingerprint");
    var format = said.get("# dsr suppressions");
    if (!"format 1".equals(format))
      throw new IOException(
          "not a suppression list in format 1");
    if (!made.substring(0, 16).equals(said.get("# key")))
      throw new IOException(
          "the list has another key");
    if (!people.equals(said.get("# people")))
      throw new IOException("the list was cut off");
  }

  private synchronized String keyed(String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(mac.doFinal(bytes));
  }

  boolean mayTrack(String distinctId) {
    var digest = keyed(distinctId).substring(0, 32);
    return !suppressed.contains(digest);
  }
}
