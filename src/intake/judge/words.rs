//! Words that programs and spreadsheets write where an id should be, in many languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::look::Look;
use crate::domain::id_names::{KNOWN, fold};
use crate::intake::reader::columns::KNOWN_ALONE;

/// The longest known word, in bytes.
const LONGEST: usize = 32;

const HEADINGS: &str = "user users customer customers customer_id client_id account account_id \
    member_id device_id anonymous_id external_id subject_id profile_id contact_id email emails mail \
    email_address name names username login phone identifier identifiers benutzer benutzer-id \
    nutzer kunde kunden kundennummer utilisateur usuario usuarios utente gebruiker användare \
    käyttäjä bruger użytkownik пользователь пользователи ユーザー 用户 用戶 사용자";
const TOTALS: &str = "total totals grandtotal subtotal subtotals sum count counts average avg summe \
    gesamt gesamtsumme gesamtergebnis ergebnis zwischensumme insgesamt anzahl endsumme somme \
    totaux sous-total ensemble suma totale totali somma subtotale totaal \
    subtotaal totalt sammanlagt summa yhteensä välisumma razem łącznie ogółem celkem součet spolu \
    összesen összeg toplam итого всего сумма итог разом усього σύνολο ukupno skupaj jumlah \
    合計 総計 小計 合计 总计 總計 总和 小计 共计 합계 총계 소계 المجموع الإجمالي إجمالي योग कुल รวม tổng \
    samtals kokku kopā";
const PLACEHOLDERS: &str = "nan nat nul nil null none undefined empty blank missing unset tbd tba \
    redacted masked hidden deleted removed loading keine leer unbekannt gelöscht vide \
    inconnu supprimé vacío vacio nulo ninguno desconocido vazio nessuno vuoto leeg geen onbekend \
    brak puste пусто нет неизвестно なし 無し 空 空白 不明 無 无 未知 없음 미상 wahr falsch vrai faux \
    verdadero verdadeiro falso vero chargement cargando caricamento ładowanie загрузка \
    読み込み中 加载中 載入中 object eof";
const TYPES: &str = "string str text varchar nvarchar char character uuid guid int integer bigint \
    smallint number numeric decimal float double real boolean bool date datetime timestamp json \
    jsonb variant bytes binary system.string system.object ascii ansi";
const TALK: &str = "begin commit rollback set ok output query select copy rows row records \
    done end finished ende \
    zeilen lignes filas righe rijen linhas";

static WORDS: LazyLock<HashMap<String, Look>> = LazyLock::new(|| {
    let lists = [
        (HEADINGS, Look::Heading),
        (TOTALS, Look::Total),
        (PLACEHOLDERS, Look::Placeholder),
        (TYPES, Look::TypeName),
        (TALK, Look::Footer),
    ];
    let each =
        |(words, look): (&'static str, Look)| words.split(' ').map(move |word| (fold(word), look));
    let columns = KNOWN.into_iter().chain(KNOWN_ALONE);
    let columns = columns.map(|name| (name.to_owned(), Look::Heading));
    lists.into_iter().flat_map(each).chain(columns).collect()
});

/// Recognizes a word or a column name, whatever its case and punctuation.
pub(crate) fn look_of(text: &str) -> Option<Look> {
    if text.len() > LONGEST {
        return None;
    }
    if !text.is_ascii() {
        return WORDS.get(&fold(text)).copied();
    }
    // Folds without allocating, because every row of a large table may come here.
    let (mut folded, mut length) = ([0; LONGEST], 0);
    for byte in text.bytes().filter(u8::is_ascii_alphanumeric) {
        folded[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let folded = std::str::from_utf8(&folded[..length]);
    folded.ok().and_then(|folded| WORDS.get(folded).copied())
}
