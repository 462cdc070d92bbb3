using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.World;

/// <summary>The countries the product's customers live in. Shares and habits are the author's judgement of what is ordinary, not measurements.</summary>
internal static class Countries
{
    public static readonly IReadOnlyList<Country> All =
    [
        new()
        {
            Code = "US",
            Weight = 27,
            Culture = "en",
            OtherCultures = ["es", "hi", "vi", "ko", "ng", "fil"],
            Languages = new(("en-US,en;q=0.9", 84), ("en-US,en;q=0.9,es;q=0.8", 6), ("en-US", 5), ("es-US,es;q=0.9,en;q=0.8", 5)),
            Zones = new(("America/New_York", 46), ("America/Chicago", 28), ("America/Los_Angeles", 17), ("America/Denver", 6), ("America/Phoenix", 3)),
            Ipv6Fixed = 0.45,
            Ipv6Mobile = 0.72,
            Mobiles =
            [
                "+12123######", "+12125######", "+12127######", "+13053######", "+13055######", "+13057######",
                "+13123######", "+13125######", "+13127######", "+14043######", "+14045######", "+14047######",
                "+14153######", "+14155######", "+14157######", "+15123######", "+15125######", "+15127######",
                "+16173######", "+16175######", "+16177######", "+17023######", "+17025######", "+17027######",
                "+17133######", "+17135######", "+17137######", "+17183######", "+17185######", "+17187######",
                "+17733######", "+17735######", "+17737######", "+18183######", "+18185######", "+18187######",
                "+12063######", "+12065######", "+12067######", "+13033######", "+13035######", "+13037######",
                "+15033######", "+15035######", "+15037######", "+16143######", "+16145######", "+16147######",
                "+17043######", "+17045######", "+17047######", "+19193######", "+19195######", "+19197######",
                "+12143######", "+12145######", "+12147######", "+12673######", "+12675######", "+12677######",
                "+13473######", "+13475######", "+13477######", "+14693######", "+14695######", "+14697######",
                "+15103######", "+15105######", "+15107######", "+16023######", "+16025######", "+16027######",
            ],
            MailProviders = new(
                ("gmail.com", 62), ("yahoo.com", 11), ("outlook.com", 7), ("hotmail.com", 6), ("icloud.com", 8), ("aol.com", 3), ("comcast.net", 1.5),
                ("proton.me", 1.5)),
            Systems = Systems(windows: 38, mac: 20, linux: 2, android: 14, ios: 26),
            Cities =
            [
                ("New York", "NY", "100##"), ("Los Angeles", "CA", "900##"), ("Chicago", "IL", "606##"), ("Houston", "TX", "770##"), ("Phoenix", "AZ", "850##"),
                ("Austin", "TX", "787##"), ("Seattle", "WA", "981##"), ("Denver", "CO", "802##"), ("Atlanta", "GA", "303##"), ("Boston", "MA", "021##"),
                ("Columbus", "OH", "432##"), ("Portland", "OR", "972##"),
            ],
            Streets = ["Main St", "Oak Ave", "Maple Dr", "Cedar Ln", "Park Ave", "2nd St", "Elm St", "Washington Blvd", "Lakeview Rd", "Hillcrest Dr"],
            CompanyDomains = ["com", "io", "co", "ai", "net"],
            AcademicDomain = "edu",
            Issuers = 140,
            Prepaid = 0.06,
        },
        new()
        {
            Code = "CA",
            Weight = 5,
            Culture = "en",
            OtherCultures = ["fr", "hi", "fil", "ko"],
            Languages = new(("en-CA,en;q=0.9", 60), ("en-US,en;q=0.9", 22), ("fr-CA,fr;q=0.9,en;q=0.7", 18)),
            Zones = new(("America/Toronto", 62), ("America/Vancouver", 20), ("America/Edmonton", 13), ("America/Halifax", 5)),
            Ipv6Fixed = 0.4,
            Ipv6Mobile = 0.6,
            Mobiles =
            [
                "+14163######", "+14165######", "+14168######", "+16043######", "+16045######", "+16048######",
                "+15143######", "+15145######", "+15148######", "+14033######", "+14035######", "+14038######",
                "+16133######", "+16135######", "+16138######", "+19053######", "+19055######", "+19058######",
                "+16473######", "+16475######", "+16478######", "+17783######", "+17785######", "+17788######",
                "+14383######", "+14385######", "+14388######", "+15873######", "+15875######", "+15878######",
            ],
            MailProviders = new(("gmail.com", 58), ("hotmail.com", 12), ("outlook.com", 10), ("yahoo.ca", 6), ("icloud.com", 9), ("bell.net", 2), ("proton.me", 2)),
            Systems = Systems(windows: 38, mac: 21, linux: 2, android: 13, ios: 26),
            Cities =
            [
                ("Toronto", "ON", "M5V #A#"), ("Montreal", "QC", "H2X #B#"), ("Vancouver", "BC", "V6B #C#"), ("Calgary", "AB", "T2P #E#"),
                ("Ottawa", "ON", "K1P #G#"),
            ],
            Streets = ["King St", "Queen St W", "Yonge St", "Robson St", "Rue Sherbrooke", "Bank St"],
            CompanyDomains = ["ca", "com", "io"],
            AcademicDomain = "ca",
            Issuers = 40,
            Prepaid = 0.05,
        },
        new()
        {
            Code = "MX",
            Weight = 4,
            Culture = "es",
            OtherCultures = ["es"],
            Languages = new(("es-MX,es;q=0.9,en;q=0.8", 62), ("es-419,es;q=0.9", 26), ("es-ES,es;q=0.9", 4), ("en-US,en;q=0.9", 8)),
            Zones = new(("America/Mexico_City", 82), ("America/Monterrey", 18)),
            Ipv6Fixed = 0.3,
            Ipv6Mobile = 0.45,
            Mobiles =
            [
                "+5255########", "+5281########", "+5233########",
            ],
            MailProviders = new(("gmail.com", 66), ("hotmail.com", 18), ("outlook.com", 9), ("yahoo.com.mx", 4), ("icloud.com", 3)),
            Systems = Systems(windows: 30, mac: 5, linux: 2, android: 51, ios: 12),
            Cities = [("Ciudad de México", "CDMX", "06###"), ("Guadalajara", "JAL", "44###"), ("Monterrey", "NL", "64###"), ("Puebla", "PUE", "72###")],
            Streets = ["Av. Reforma", "Calle Hidalgo", "Av. Juárez", "Calle Morelos", "Av. Insurgentes"],
            CompanyDomains = ["com.mx", "mx", "com"],
            AcademicDomain = "edu.mx",
            Issuers = 28,
            Prepaid = 0.09,
        },
        new()
        {
            Code = "BR",
            Weight = 7,
            Culture = "pt",
            OtherCultures = ["it", "ja"],
            Languages = new(("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", 74), ("pt-BR,pt;q=0.9", 18), ("en-US,en;q=0.9", 8)),
            Zones = new(("America/Sao_Paulo", 80), ("America/Fortaleza", 15), ("America/Manaus", 5)),
            Ipv6Fixed = 0.48,
            Ipv6Mobile = 0.62,
            Mobiles =
            [
                "+551196#######", "+551198#######", "+551199#######", "+552196#######", "+552198#######", "+552199#######",
                "+553196#######", "+553198#######", "+553199#######", "+554196#######", "+554198#######", "+554199#######",
                "+555196#######", "+555198#######", "+555199#######", "+556196#######", "+556198#######", "+556199#######",
                "+557196#######", "+557198#######", "+557199#######", "+558196#######", "+558198#######", "+558199#######",
                "+558596#######", "+558598#######", "+558599#######",
            ],
            MailProviders = new(("gmail.com", 70), ("hotmail.com", 14), ("outlook.com", 8), ("yahoo.com.br", 4), ("icloud.com", 3), ("uol.com.br", 1)),
            Systems = Systems(windows: 32, mac: 5, linux: 2, android: 50, ios: 11),
            Cities =
            [
                ("São Paulo", "SP", "01###-###"), ("Rio de Janeiro", "RJ", "20###-###"), ("Belo Horizonte", "MG", "30###-###"), ("Curitiba", "PR", "80###-###"),
                ("Fortaleza", "CE", "60###-###"),
            ],
            Streets = ["Rua das Flores", "Av. Paulista", "Rua Augusta", "Av. Brasil", "Rua XV de Novembro"],
            CompanyDomains = ["com.br", "com", "io"],
            AcademicDomain = "edu.br",
            Issuers = 34,
            Prepaid = 0.08,
        },
        new()
        {
            Code = "AR",
            Weight = 2,
            Culture = "es",
            OtherCultures = ["it"],
            Languages = new(("es-AR,es;q=0.9", 64), ("es-419,es;q=0.9", 24), ("en-US,en;q=0.9", 12)),
            Zones = new(("America/Argentina/Buenos_Aires", 84), ("America/Argentina/Cordoba", 16)),
            Ipv6Fixed = 0.22,
            Ipv6Mobile = 0.3,
            Mobiles =
            [
                "+549115#######", "+549116#######", "+5493515######",
            ],
            MailProviders = new(("gmail.com", 74), ("hotmail.com", 14), ("outlook.com", 6), ("yahoo.com.ar", 4), ("icloud.com", 2)),
            Systems = Systems(windows: 36, mac: 6, linux: 3, android: 46, ios: 9),
            Cities = [("Buenos Aires", "CABA", "C1###"), ("Córdoba", "CBA", "X5###"), ("Rosario", "SFE", "S2###")],
            Streets = ["Av. Corrientes", "Calle Florida", "Av. Rivadavia", "San Martín", "Belgrano"],
            CompanyDomains = ["com.ar", "com"],
            AcademicDomain = "edu.ar",
            Issuers = 20,
            Prepaid = 0.1,
        },
        new()
        {
            Code = "GB",
            Weight = 8,
            Culture = "en",
            OtherCultures = ["hi", "pl", "ng"],
            Languages = new(("en-GB,en;q=0.9,en-US;q=0.8", 52), ("en-GB,en;q=0.9", 30), ("en-US,en;q=0.9", 18)),
            Zones = new(("Europe/London", 100)),
            Ipv6Fixed = 0.42,
            Ipv6Mobile = 0.5,
            Mobiles =
            [
                "+4474########", "+4475########", "+44771#######", "+44773#######", "+4478########", "+4479########",
            ],
            MailProviders = new(
                ("gmail.com", 52), ("hotmail.co.uk", 11), ("outlook.com", 10), ("yahoo.co.uk", 7), ("icloud.com", 13), ("btinternet.com", 4), ("proton.me", 3)),
            Systems = Systems(windows: 36, mac: 18, linux: 2, android: 16, ios: 28),
            Cities =
            [
                ("London", "London", "SW# #AB"), ("Manchester", "Greater Manchester", "M# #GH"), ("Birmingham", "West Midlands", "B# #JK"),
                ("Leeds", "West Yorkshire", "LS# #DE"), ("Bristol", "Bristol", "BS# #QT"), ("Glasgow", "Glasgow", "G# #LM"),
            ],
            Streets = ["High Street", "Station Road", "Church Lane", "Victoria Road", "Mill Lane", "The Crescent"],
            CompanyDomains = ["co.uk", "com", "io", "uk"],
            AcademicDomain = "ac.uk",
            Issuers = 38,
            Prepaid = 0.05,
        },
        new()
        {
            Code = "DE",
            Weight = 7,
            Culture = "de",
            OtherCultures = ["tr", "pl"],
            Languages = new(("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", 68), ("de,en-US;q=0.7,en;q=0.3", 18), ("en-US,en;q=0.9,de;q=0.8", 14)),
            Zones = new(("Europe/Berlin", 100)),
            Ipv6Fixed = 0.62,
            Ipv6Mobile = 0.66,
            Mobiles =
            [
                "+49151########", "+49160#######", "+49170#######", "+49175#######", "+49176########", "+49172#######",
            ],
            MailProviders = new(
                ("gmail.com", 38), ("gmx.de", 18), ("web.de", 18), ("t-online.de", 6), ("outlook.de", 5), ("icloud.com", 8), ("yahoo.de", 3), ("posteo.de", 2),
                ("proton.me", 2)),
            Systems = Systems(windows: 44, mac: 15, linux: 4, android: 22, ios: 15),
            Cities =
            [
                ("Berlin", "Berlin", "10###"), ("Hamburg", "Hamburg", "20###"), ("München", "Bayern", "80###"), ("Köln", "Nordrhein-Westfalen", "50###"),
                ("Frankfurt am Main", "Hessen", "60###"), ("Stuttgart", "Baden-Württemberg", "70###"),
            ],
            Streets = ["Hauptstraße", "Bahnhofstraße", "Gartenstraße", "Schulstraße", "Lindenweg", "Goethestraße"],
            CompanyDomains = ["de", "com", "io"],
            AcademicDomain = "de",
            Issuers = 36,
            Prepaid = 0.03,
        },
        new()
        {
            Code = "FR",
            Weight = 5,
            Culture = "fr",
            OtherCultures = ["ar", "pt"],
            Languages = new(("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", 76), ("fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3", 14), ("en-US,en;q=0.9,fr;q=0.8", 10)),
            Zones = new(("Europe/Paris", 100)),
            Ipv6Fixed = 0.7,
            Ipv6Mobile = 0.62,
            Mobiles =
            [
                "+3361#######", "+3362#######", "+3365#######", "+3366#######", "+3376#######", "+3378#######",
            ],
            MailProviders = new(
                ("gmail.com", 50), ("orange.fr", 9), ("hotmail.fr", 10), ("outlook.fr", 8), ("yahoo.fr", 6), ("free.fr", 5), ("icloud.com", 8),
                ("laposte.net", 3), ("proton.me", 1)),
            Systems = Systems(windows: 40, mac: 16, linux: 3, android: 22, ios: 19),
            Cities =
            [
                ("Paris", "Île-de-France", "750##"), ("Lyon", "Auvergne-Rhône-Alpes", "690##"), ("Marseille", "Provence", "130##"),
                ("Toulouse", "Occitanie", "310##"), ("Nantes", "Pays de la Loire", "440##"),
            ],
            Streets = ["Rue de la République", "Avenue Victor Hugo", "Rue Pasteur", "Rue des Lilas", "Boulevard Voltaire"],
            CompanyDomains = ["fr", "com", "io"],
            AcademicDomain = "fr",
            Issuers = 30,
            Prepaid = 0.03,
        },
        new()
        {
            Code = "ES",
            Weight = 3.5,
            Culture = "es",
            OtherCultures = ["ar"],
            Languages = new(("es-ES,es;q=0.9", 64), ("es-ES,es;q=0.9,ca;q=0.8,en;q=0.7", 14), ("es,en-US;q=0.7,en;q=0.3", 12), ("en-US,en;q=0.9", 10)),
            Zones = new(("Europe/Madrid", 95), ("Atlantic/Canary", 5)),
            Ipv6Fixed = 0.12,
            Ipv6Mobile = 0.2,
            Mobiles =
            [
                "+346########",
            ],
            MailProviders = new(("gmail.com", 66), ("hotmail.com", 16), ("outlook.es", 7), ("yahoo.es", 4), ("icloud.com", 6), ("telefonica.net", 1)),
            Systems = Systems(windows: 38, mac: 13, linux: 3, android: 32, ios: 14),
            Cities = [("Madrid", "Madrid", "280##"), ("Barcelona", "Barcelona", "080##"), ("Valencia", "Valencia", "460##"), ("Sevilla", "Sevilla", "410##")],
            Streets = ["Calle Mayor", "Calle Real", "Avenida de la Constitución", "Calle del Sol", "Gran Vía"],
            CompanyDomains = ["es", "com"],
            AcademicDomain = "es",
            Issuers = 24,
            Prepaid = 0.03,
        },
        new()
        {
            Code = "IT",
            Weight = 3.5,
            Culture = "it",
            OtherCultures = ["ar"],
            Languages = new(("it-IT,it;q=0.9,en-US;q=0.8,en;q=0.7", 76), ("it-IT,it;q=0.9", 14), ("en-US,en;q=0.9", 10)),
            Zones = new(("Europe/Rome", 100)),
            Ipv6Fixed = 0.15,
            Ipv6Mobile = 0.25,
            Mobiles =
            [
                "+39320#######", "+39328#######", "+39333#######", "+39340#######", "+39347#######", "+39349#######",
            ],
            MailProviders = new(
                ("gmail.com", 58), ("libero.it", 12), ("hotmail.it", 10), ("outlook.it", 5), ("yahoo.it", 4), ("icloud.com", 6), ("virgilio.it", 3),
                ("tiscali.it", 2)),
            Systems = Systems(windows: 38, mac: 13, linux: 3, android: 31, ios: 15),
            Cities = [("Roma", "RM", "001##"), ("Milano", "MI", "201##"), ("Napoli", "NA", "801##"), ("Torino", "TO", "101##"), ("Bologna", "BO", "401##")],
            Streets = ["Via Roma", "Via Garibaldi", "Corso Italia", "Via Mazzini", "Via Dante"],
            CompanyDomains = ["it", "com"],
            AcademicDomain = "it",
            Issuers = 26,
            Prepaid = 0.12,
        },
        new()
        {
            Code = "NL",
            Weight = 2.5,
            Culture = "nl",
            OtherCultures = ["tr"],
            Languages = new(("nl-NL,nl;q=0.9,en-US;q=0.8,en;q=0.7", 56), ("en-US,en;q=0.9,nl;q=0.8", 30), ("nl,en-US;q=0.7,en;q=0.3", 14)),
            Zones = new(("Europe/Amsterdam", 100)),
            Ipv6Fixed = 0.5,
            Ipv6Mobile = 0.5,
            Mobiles =
            [
                "+3161#######", "+3162#######", "+3163#######", "+3164#######", "+3165#######", "+3168#######",
            ],
            MailProviders = new(("gmail.com", 56), ("hotmail.com", 16), ("outlook.com", 10), ("icloud.com", 8), ("ziggo.nl", 4), ("kpnmail.nl", 3), ("proton.me", 3)),
            Systems = Systems(windows: 40, mac: 20, linux: 3, android: 18, ios: 19),
            Cities =
            [
                ("Amsterdam", "Noord-Holland", "10## AB"), ("Rotterdam", "Zuid-Holland", "30## CD"), ("Utrecht", "Utrecht", "35## EG"),
                ("Eindhoven", "Noord-Brabant", "56## HK"),
            ],
            Streets = ["Kerkstraat", "Dorpsstraat", "Molenweg", "Schoolstraat", "Stationsweg"],
            CompanyDomains = ["nl", "com", "io"],
            AcademicDomain = "nl",
            Issuers = 14,
            Prepaid = 0.02,
        },
        new()
        {
            Code = "PL",
            Weight = 2.5,
            Culture = "pl",
            OtherCultures = ["de"],
            Languages = new(("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", 82), ("pl,en-US;q=0.7,en;q=0.3", 10), ("en-US,en;q=0.9", 8)),
            Zones = new(("Europe/Warsaw", 100)),
            Ipv6Fixed = 0.2,
            Ipv6Mobile = 0.3,
            Mobiles =
            [
                "+48501######", "+48512######", "+48600######", "+48605######", "+48660######", "+48690######",
                "+48781######",
            ],
            MailProviders = new(("gmail.com", 58), ("wp.pl", 14), ("o2.pl", 8), ("onet.pl", 7), ("interia.pl", 5), ("icloud.com", 4), ("outlook.com", 4)),
            Systems = Systems(windows: 46, mac: 8, linux: 4, android: 34, ios: 8),
            Cities =
            [
                ("Warszawa", "Mazowieckie", "00-###"), ("Kraków", "Małopolskie", "30-###"), ("Wrocław", "Dolnośląskie", "50-###"),
                ("Gdańsk", "Pomorskie", "80-###"),
            ],
            Streets = ["ul. Polna", "ul. Leśna", "ul. Słoneczna", "ul. Krótka", "ul. Szkolna"],
            CompanyDomains = ["pl", "com.pl", "com"],
            AcademicDomain = "edu.pl",
            Issuers = 22,
            Prepaid = 0.03,
        },
        new()
        {
            Code = "SE",
            Weight = 1.5,
            Culture = "sv",
            OtherCultures = ["ar"],
            Languages = new(("sv-SE,sv;q=0.9,en-US;q=0.8,en;q=0.7", 66), ("en-US,en;q=0.9,sv;q=0.8", 26), ("sv,en;q=0.8", 8)),
            Zones = new(("Europe/Stockholm", 100)),
            Ipv6Fixed = 0.25,
            Ipv6Mobile = 0.45,
            Mobiles =
            [
                "+4670#######", "+4672#######", "+4673#######", "+4676#######",
            ],
            MailProviders = new(("gmail.com", 58), ("hotmail.com", 14), ("outlook.com", 10), ("icloud.com", 12), ("telia.com", 4), ("proton.me", 2)),
            Systems = Systems(windows: 36, mac: 22, linux: 3, android: 14, ios: 25),
            Cities = [("Stockholm", "Stockholm", "11# ##"), ("Göteborg", "Västra Götaland", "41# ##"), ("Malmö", "Skåne", "21# ##")],
            Streets = ["Storgatan", "Kungsgatan", "Drottninggatan", "Skolgatan", "Järnvägsgatan"],
            CompanyDomains = ["se", "com", "io"],
            AcademicDomain = "se",
            Issuers = 14,
            Prepaid = 0.02,
        },
        new()
        {
            Code = "CH",
            Weight = 1.5,
            Culture = "de",
            OtherCultures = ["fr", "it"],
            Languages = new(("de-CH,de;q=0.9,en;q=0.8", 56), ("fr-CH,fr;q=0.9,en;q=0.8", 24), ("en-US,en;q=0.9", 20)),
            Zones = new(("Europe/Zurich", 100)),
            Ipv6Fixed = 0.45,
            Ipv6Mobile = 0.45,
            Mobiles =
            [
                "+4176#######", "+4178#######", "+4179#######",
            ],
            MailProviders = new(("gmail.com", 50), ("bluewin.ch", 14), ("hotmail.com", 10), ("outlook.com", 8), ("gmx.ch", 6), ("icloud.com", 10), ("proton.me", 2)),
            Systems = Systems(windows: 36, mac: 24, linux: 3, android: 12, ios: 25),
            Cities = [("Zürich", "ZH", "80##"), ("Genève", "GE", "12##"), ("Basel", "BS", "40##"), ("Bern", "BE", "30##")],
            Streets = ["Bahnhofstrasse", "Hauptstrasse", "Dorfstrasse", "Rue du Lac", "Seestrasse"],
            CompanyDomains = ["ch", "com"],
            AcademicDomain = "ch",
            Issuers = 16,
            Prepaid = 0.04,
        },
        new()
        {
            Code = "TR",
            Weight = 2.5,
            Culture = "tr",
            OtherCultures = ["ar"],
            Languages = new(("tr-TR,tr;q=0.9,en-US;q=0.8,en;q=0.7", 82), ("tr-TR,tr;q=0.9", 12), ("en-US,en;q=0.9", 6)),
            Zones = new(("Europe/Istanbul", 100)),
            Ipv6Fixed = 0.04,
            Ipv6Mobile = 0.12,
            Mobiles =
            [
                "+90530#######", "+90532#######", "+90535#######", "+90542#######", "+90544#######", "+90505#######",
                "+90552#######",
            ],
            MailProviders = new(("gmail.com", 72), ("hotmail.com", 16), ("outlook.com", 6), ("icloud.com", 5), ("yandex.com.tr", 1)),
            Systems = Systems(windows: 36, mac: 7, linux: 2, android: 40, ios: 15),
            Cities = [("İstanbul", "İstanbul", "34###"), ("Ankara", "Ankara", "06###"), ("İzmir", "İzmir", "35###"), ("Bursa", "Bursa", "16###")],
            Streets = ["Atatürk Cad.", "Cumhuriyet Cad.", "İstiklal Cad.", "Gazi Sok.", "Bahçe Sok."],
            CompanyDomains = ["com.tr", "com"],
            AcademicDomain = "edu.tr",
            Issuers = 20,
            Prepaid = 0.06,
        },
        new()
        {
            Code = "IN",
            Weight = 9,
            Culture = "hi",
            OtherCultures = ["hi"],
            Languages = new(("en-IN,en-GB;q=0.9,en-US;q=0.8,en;q=0.7", 46), ("en-US,en;q=0.9", 34), ("en-IN,en;q=0.9,hi;q=0.8", 20)),
            Zones = new(("Asia/Kolkata", 100)),
            Ipv6Fixed = 0.55,
            Ipv6Mobile = 0.86,
            Mobiles =
            [
                "+9198########", "+9197########", "+9190########", "+9199########", "+9170########",
            ],
            MailProviders = new(("gmail.com", 88), ("outlook.com", 4), ("yahoo.com", 3), ("hotmail.com", 2), ("rediffmail.com", 2), ("icloud.com", 1)),
            Systems = Systems(windows: 34, mac: 4, linux: 4, android: 53, ios: 5),
            Cities =
            [
                ("Mumbai", "Maharashtra", "400###"), ("Delhi", "Delhi", "110###"), ("Bengaluru", "Karnataka", "560###"), ("Hyderabad", "Telangana", "500###"),
                ("Chennai", "Tamil Nadu", "600###"), ("Pune", "Maharashtra", "411###"),
            ],
            Streets = ["MG Road", "Gandhi Nagar", "Station Road", "Nehru Street", "Park Street", "Ring Road"],
            CompanyDomains = ["in", "co.in", "com", "io"],
            AcademicDomain = "ac.in",
            Issuers = 44,
            Prepaid = 0.08,
        },
        new()
        {
            Code = "ID",
            Weight = 3,
            Culture = "id",
            OtherCultures = ["id"],
            Languages = new(("id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", 78), ("en-US,en;q=0.9,id;q=0.8", 22)),
            Zones = new(("Asia/Jakarta", 86), ("Asia/Makassar", 14)),
            Ipv6Fixed = 0.1,
            Ipv6Mobile = 0.2,
            Mobiles =
            [
                "+62812########", "+62813########", "+62821########", "+62852########", "+62857########", "+62878########",
            ],
            MailProviders = new(("gmail.com", 90), ("yahoo.co.id", 5), ("outlook.com", 3), ("icloud.com", 2)),
            Systems = Systems(windows: 28, mac: 4, linux: 2, android: 60, ios: 6),
            Cities = [("Jakarta", "DKI Jakarta", "10###"), ("Surabaya", "Jawa Timur", "60###"), ("Bandung", "Jawa Barat", "40###"), ("Medan", "Sumatera Utara", "20###")],
            Streets = ["Jl. Sudirman", "Jl. Merdeka", "Jl. Diponegoro", "Jl. Ahmad Yani", "Jl. Gatot Subroto"],
            CompanyDomains = ["co.id", "id", "com"],
            AcademicDomain = "ac.id",
            Issuers = 18,
            Prepaid = 0.12,
        },
        new()
        {
            Code = "PH",
            Weight = 2,
            Culture = "fil",
            OtherCultures = ["fil"],
            Languages = new(("en-US,en;q=0.9", 62), ("en-PH,en;q=0.9,fil;q=0.8", 22), ("fil-PH,fil;q=0.9,en;q=0.8", 16)),
            Zones = new(("Asia/Manila", 100)),
            Ipv6Fixed = 0.12,
            Ipv6Mobile = 0.3,
            Mobiles =
            [
                "+63905#######", "+63917#######", "+63918#######", "+63920#######", "+63927#######", "+63999#######",
            ],
            MailProviders = new(("gmail.com", 86), ("yahoo.com", 9), ("outlook.com", 3), ("icloud.com", 2)),
            Systems = Systems(windows: 32, mac: 5, linux: 1, android: 52, ios: 10),
            Cities = [("Manila", "Metro Manila", "10##"), ("Quezon City", "Metro Manila", "11##"), ("Cebu City", "Cebu", "60##"), ("Davao City", "Davao", "80##")],
            Streets = ["Rizal Ave", "Mabini St", "Bonifacio St", "Quezon Blvd", "Roxas Ave"],
            CompanyDomains = ["com.ph", "ph", "com"],
            AcademicDomain = "edu.ph",
            Issuers = 16,
            Prepaid = 0.14,
        },
        new()
        {
            Code = "VN",
            Weight = 2,
            Culture = "vi",
            OtherCultures = ["vi"],
            Languages = new(("vi-VN,vi;q=0.9,en-US;q=0.8,en;q=0.7", 78), ("vi,en-US;q=0.9,en;q=0.8", 12), ("en-US,en;q=0.9", 10)),
            Zones = new(("Asia/Ho_Chi_Minh", 100)),
            Ipv6Fixed = 0.55,
            Ipv6Mobile = 0.6,
            Mobiles =
            [
                "+8490#######", "+8491#######", "+8498#######", "+8497#######", "+8493#######", "+8433#######",
            ],
            MailProviders = new(("gmail.com", 92), ("outlook.com", 4), ("icloud.com", 3), ("yahoo.com.vn", 1)),
            Systems = Systems(windows: 42, mac: 6, linux: 2, android: 36, ios: 14),
            Cities = [("Hà Nội", "Hà Nội", "10####"), ("Hồ Chí Minh", "Hồ Chí Minh", "70####"), ("Đà Nẵng", "Đà Nẵng", "55####")],
            Streets = ["Nguyễn Huệ", "Lê Lợi", "Trần Hưng Đạo", "Hai Bà Trưng", "Lý Thường Kiệt"],
            CompanyDomains = ["vn", "com.vn", "com"],
            AcademicDomain = "edu.vn",
            Issuers = 16,
            Prepaid = 0.07,
        },
        new()
        {
            Code = "JP",
            Weight = 5,
            Culture = "ja",
            OtherCultures = ["ja"],
            Languages = new(("ja,en-US;q=0.9,en;q=0.8", 60), ("ja-JP,ja;q=0.9", 30), ("en-US,en;q=0.9,ja;q=0.8", 10)),
            Zones = new(("Asia/Tokyo", 100)),
            Ipv6Fixed = 0.5,
            Ipv6Mobile = 0.55,
            Mobiles =
            [
                "+81801#######", "+81803#######", "+81901#######", "+81907#######", "+81701#######", "+81704#######",
            ],
            MailProviders = new(
                ("gmail.com", 58), ("yahoo.co.jp", 18), ("icloud.com", 10), ("outlook.jp", 5), ("docomo.ne.jp", 4), ("ezweb.ne.jp", 3), ("hotmail.co.jp", 2)),
            Systems = Systems(windows: 42, mac: 15, linux: 2, android: 12, ios: 29),
            Cities = [("Tokyo", "Tokyo", "15#-00##"), ("Osaka", "Osaka", "54#-00##"), ("Nagoya", "Aichi", "46#-00##"), ("Fukuoka", "Fukuoka", "81#-00##")],
            Streets = ["Chuo", "Honcho", "Sakuragaoka", "Midorimachi", "Asahi"],
            CompanyDomains = ["co.jp", "jp", "com"],
            AcademicDomain = "ac.jp",
            Issuers = 28,
            Prepaid = 0.06,
        },
        new()
        {
            Code = "KR",
            Weight = 2.5,
            Culture = "ko",
            OtherCultures = ["ko"],
            Languages = new(("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", 84), ("ko,en;q=0.9", 8), ("en-US,en;q=0.9,ko;q=0.8", 8)),
            Zones = new(("Asia/Seoul", 100)),
            Ipv6Fixed = 0.15,
            Ipv6Mobile = 0.4,
            Mobiles =
            [
                "+82102#######", "+82103#######", "+82104#######", "+82106#######", "+82108#######", "+82109#######",
            ],
            MailProviders = new(("gmail.com", 58), ("naver.com", 28), ("daum.net", 5), ("hanmail.net", 4), ("icloud.com", 3), ("kakao.com", 2)),
            Systems = Systems(windows: 44, mac: 12, linux: 1, android: 26, ios: 17),
            Cities = [("Seoul", "Seoul", "04###"), ("Busan", "Busan", "48###"), ("Incheon", "Incheon", "21###")],
            Streets = ["Teheran-ro", "Sejong-daero", "Gangnam-daero", "Jungang-ro", "Hangang-daero"],
            CompanyDomains = ["co.kr", "kr", "com"],
            AcademicDomain = "ac.kr",
            Issuers = 18,
            Prepaid = 0.03,
        },
        new()
        {
            Code = "AU",
            Weight = 3.5,
            Culture = "en",
            OtherCultures = ["hi", "vi"],
            Languages = new(("en-AU,en;q=0.9", 52), ("en-GB,en-US;q=0.9,en;q=0.8", 24), ("en-US,en;q=0.9", 24)),
            Zones = new(("Australia/Sydney", 42), ("Australia/Melbourne", 30), ("Australia/Brisbane", 18), ("Australia/Perth", 10)),
            Ipv6Fixed = 0.3,
            Ipv6Mobile = 0.45,
            Mobiles =
            [
                "+61411######", "+61421######", "+61431######", "+61401######", "+61451######",
            ],
            MailProviders = new(("gmail.com", 58), ("hotmail.com", 13), ("outlook.com", 9), ("icloud.com", 11), ("bigpond.com", 5), ("yahoo.com.au", 4)),
            Systems = Systems(windows: 36, mac: 20, linux: 2, android: 14, ios: 28),
            Cities = [("Sydney", "NSW", "20##"), ("Melbourne", "VIC", "30##"), ("Brisbane", "QLD", "40##"), ("Perth", "WA", "60##")],
            Streets = ["George St", "High St", "Station St", "Victoria Rd", "Railway Pde"],
            CompanyDomains = ["com.au", "au", "com"],
            AcademicDomain = "edu.au",
            Issuers = 24,
            Prepaid = 0.06,
        },
        new()
        {
            Code = "ZA",
            Weight = 1.5,
            Culture = "za",
            OtherCultures = ["en"],
            Languages = new(("en-ZA,en-GB;q=0.9,en;q=0.8", 48), ("en-US,en;q=0.9", 36), ("en-GB,en;q=0.9,af;q=0.7", 16)),
            Zones = new(("Africa/Johannesburg", 100)),
            Ipv6Fixed = 0.08,
            Ipv6Mobile = 0.12,
            Mobiles =
            [
                "+2782#######", "+2783#######", "+2784#######", "+2772#######", "+2773#######", "+2776#######",
            ],
            MailProviders = new(("gmail.com", 80), ("outlook.com", 5), ("hotmail.com", 4), ("icloud.com", 5), ("webmail.co.za", 3), ("telkomsa.net", 3)),
            Systems = Systems(windows: 34, mac: 7, linux: 1, android: 46, ios: 12),
            Cities = [("Johannesburg", "Gauteng", "20##"), ("Cape Town", "Western Cape", "80##"), ("Durban", "KwaZulu-Natal", "40##"), ("Pretoria", "Gauteng", "00##")],
            Streets = ["Main Rd", "Church St", "Nelson Mandela Dr", "Long St", "Voortrekker Rd"],
            CompanyDomains = ["co.za", "com"],
            AcademicDomain = "ac.za",
            Issuers = 14,
            Prepaid = 0.05,
        },
        new()
        {
            Code = "NG",
            Weight = 1.5,
            Culture = "ng",
            OtherCultures = ["ng"],
            Languages = new(("en-GB,en-US;q=0.9,en;q=0.8", 44), ("en-US,en;q=0.9", 50), ("en-NG,en;q=0.9", 6)),
            Zones = new(("Africa/Lagos", 100)),
            Ipv6Fixed = 0.02,
            Ipv6Mobile = 0.1,
            Mobiles =
            [
                "+234803#######", "+234805#######", "+234806#######", "+234810#######", "+234816#######", "+234903#######",
            ],
            MailProviders = new(("gmail.com", 86), ("yahoo.com", 11), ("outlook.com", 2), ("icloud.com", 1)),
            Systems = Systems(windows: 26, mac: 4, linux: 1, android: 60, ios: 9),
            Cities = [("Lagos", "Lagos", "10####"), ("Abuja", "FCT", "90####"), ("Ibadan", "Oyo", "20####"), ("Port Harcourt", "Rivers", "50####")],
            Streets = ["Allen Avenue", "Awolowo Road", "Broad Street", "Adeola Odeku St", "Herbert Macaulay Way"],
            CompanyDomains = ["com.ng", "ng", "com"],
            AcademicDomain = "edu.ng",
            Issuers = 14,
            Prepaid = 0.18,
        },
        new()
        {
            Code = "EG",
            Weight = 1.5,
            Culture = "ar",
            OtherCultures = ["ar"],
            Languages = new(("ar-EG,ar;q=0.9,en-US;q=0.8,en;q=0.7", 48), ("en-US,en;q=0.9,ar;q=0.8", 44), ("ar,en;q=0.9", 8)),
            Zones = new(("Africa/Cairo", 100)),
            Ipv6Fixed = 0.08,
            Ipv6Mobile = 0.15,
            Mobiles =
            [
                "+2010########", "+2011########", "+2012########", "+2015########",
            ],
            MailProviders = new(("gmail.com", 76), ("yahoo.com", 10), ("hotmail.com", 8), ("outlook.com", 4), ("icloud.com", 2)),
            Systems = Systems(windows: 34, mac: 4, linux: 1, android: 50, ios: 11),
            Cities = [("Cairo", "Cairo", "11###"), ("Alexandria", "Alexandria", "21###"), ("Giza", "Giza", "12###")],
            Streets = ["Tahrir St", "El Nasr Rd", "Salah Salem St", "Corniche Rd", "Gamal Abdel Nasser St"],
            CompanyDomains = ["com.eg", "com"],
            AcademicDomain = "edu.eg",
            Issuers = 14,
            Prepaid = 0.16,
        },
    ];

    private static readonly Dictionary<string, Country> ByCode = All.ToDictionary(country => country.Code, StringComparer.Ordinal);

    public static Country Of(string code) => ByCode[code];

    /// <summary>Several; one named twice is drawn twice as often.</summary>
    public static IReadOnlyList<Country> Of(params ReadOnlySpan<string> codes)
    {
        var countries = new Country[codes.Length];
        for (var i = 0; i < codes.Length; i++) countries[i] = ByCode[codes[i]];
        return countries;
    }

    private static Weighted<MachineSystem> Systems(double windows, double mac, double linux, double android, double ios) => new(
        (MachineSystem.Windows, windows),
        (MachineSystem.MacOs, mac),
        (MachineSystem.Linux, linux),
        (MachineSystem.Android, android),
        (MachineSystem.Ios, ios));
}
