"""Names, streets and towns for the demo's people, by culture. Data only; `demo_orgs` draws from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Culture:
    """What people of one country are called and where they live.

    `towns` are (town, state, first digits of the postal code); `number_first` puts the house number before the
    street; `calling_code` and `area_codes` make phone numbers; `latin` is false for names in another script.
    """

    share: int
    women: tuple[str, ...]
    men: tuple[str, ...]
    surnames: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str, str], ...]
    country: str
    calling_code: str
    area_codes: tuple[str, ...]
    salutations: tuple[str, str]
    postcode_digits: int = 5
    number_first: bool = False
    latin: bool = True


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _joined(beginnings: str, endings: str) -> tuple[str, ...]:
    """Surnames made of every beginning with every ending."""
    return tuple(one + other for one in beginnings.split() for other in endings.split())


GERMAN = Culture(
    share=30,
    women=_words(
        "Anna Clara Ute Sabine Monika Petra Heike Jana Lena Julia Katharina Franziska Jördis Käthe Gisela "
        "Birgit Silke "
        "Anke Britta Mareike Svenja Wiebke Friederike Leonie Charlotte Johanna Elisabeth Marlene Theresa Verena"
    ),
    men=_words(
        "Hans Jürgen Björn Günter Klaus Peter Wolfgang Michael Stefan Andreas Thomas Jörg Götz Lukas Felix "
        "Maximilian "
        "Julian Tobias Florian Sebastian Matthias Rüdiger Uwe Volker Dieter Horst Konstantin Benedikt Moritz Henning"
    ),
    surnames=_words(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein "
        "Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Krause Lehmann Köhler Maier"
    )
    + _joined(
        "Stein Eichen Rosen Linden Weiden Grün Lauter Hohen Birken Falken Wald Königs Sommer Breiten Kalten",
        "berg bach feld mann hofer thal stedt brück auer meier",
    ),
    streets=_lines(
        "Hauptstraße, Bahnhofstraße, Gartenstraße, Lindenallee, Goethestraße, Schillerplatz, Am Mühlenbach, "
        "Kirchgasse, Bergstraße, Rosenweg, Ahornweg, Königsallee, Uferstraße, Friedrich-Ebert-Straße, Im Winkel"
    ),
    towns=(
        ("Berlin", "Berlin", "10"),
        ("Hamburg", "Hamburg", "20"),
        ("München", "Bayern", "80"),
        ("Köln", "Nordrhein-Westfalen", "50"),
        ("Leipzig", "Sachsen", "04"),
        ("Göttingen", "Niedersachsen", "37"),
        ("Würzburg", "Bayern", "97"),
        ("Lübeck", "Schleswig-Holstein", "23"),
    ),
    country="Deutschland",
    calling_code="49",
    area_codes=_words("30 40 89 221 341 551 931 451"),
    salutations=("Frau", "Herr"),
)
ENGLISH = Culture(
    share=22,
    women=_words(
        "Emily Olivia Charlotte Grace Hannah Rebecca Sarah Laura Victoria Abigail Harriet Imogen Zoe Beatrice "
        "Georgia "
        "Margaret Dorothy Alice Eleanor Phoebe Rosemary Gillian Fiona Deborah Natalie"
    ),
    men=_words(
        "James William Oliver George Harry Jack Thomas Charles Edward Daniel Matthew Benjamin Samuel Joseph "
        "Alexander "
        "Nicholas Patrick Gareth Duncan Malcolm Graham Trevor Stuart Nigel Russell"
    ),
    surnames=_words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts "
        "Green Hall Wood Jackson Clarke O'Brien O'Connor MacDonald Fitzgerald"
    )
    + _joined(
        "Ash Black Brad Hart Hether Lang Marl North Oak Pem Rad Stan Wind West Whit",
        "ford ley ton field well combe worth bury shaw wick",
    ),
    streets=_lines(
        "High Street, Station Road, Church Lane, Victoria Road, Mill Lane, Park Avenue, Queens Road, The Crescent, "
        "Springfield Road, Manor Drive, Kings Court, Orchard Close, Bridge Street, Elm Grove"
    ),
    towns=(
        ("London", "Greater London", "1"),
        ("Leeds", "West Yorkshire", "2"),
        ("Bristol", "Avon", "3"),
        ("Norwich", "Norfolk", "4"),
        ("Exeter", "Devon", "5"),
        ("Stirling", "Stirlingshire", "6"),
    ),
    country="United Kingdom",
    calling_code="44",
    area_codes=_words("20 113 117 1603 1392 1786"),
    salutations=("Ms.", "Mr."),
    number_first=True,
)
FRENCH = Culture(
    share=12,
    women=_words("Élodie Chloé Amélie Hélène Zoé Margaux Béatrice Sandrine Valérie Anaïs Agnès Noémie Lucie Océane"),
    men=_words("François Jérôme Rémi Gaël Étienne Loïc Benoît Frédéric Thibault Mathieu Aurélien Cédric Noël Luc"),
    surnames=_words(
        "Laurent Lefèvre Dubois Moreau Girard Bonnet Fournier Mercier Chevalier Gauthier Perrin Bouchard "
        "Lévesque Beaulieu "
        "Desrosiers Delacroix Montagné Boucher Renaud Guérin Prévost Charpentier Vasseur Hébert Poirier "
        "Barbier Gaillard"
    ),
    streets=_lines(
        "Rue de la République, Avenue Victor Hugo, Boulevard Voltaire, Rue des Écoles, Place du Marché, "
        "Chemin des Vignes, Rue Pasteur, Allée des Tilleuls, Impasse du Moulin"
    ),
    towns=(
        ("Paris", "Île-de-France", "75"),
        ("Lyon", "Rhône", "69"),
        ("Nîmes", "Gard", "30"),
        ("Orléans", "Loiret", "45"),
    ),
    country="France",
    calling_code="33",
    area_codes=_words("1 4 2 5"),
    salutations=("Mme", "M."),
    number_first=True,
)
SPANISH = Culture(
    share=10,
    women=_words("María Lucía Inés Sofía Begoña Concepción Mónica Raquel Verónica Ángela Rocío Almudena Nuria Isabel"),
    men=_words("José Álvaro Íñigo Jesús Ramón Joaquín Andrés Martín Óscar Rubén Gonzalo Hernán Sergio Ignacio"),
    surnames=_words(
        "García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Jiménez Ruiz Hernández Díaz "
        "Muñoz Álvarez "
        "Romero Gutiérrez Núñez Ibáñez Peña Castaño Ordóñez Zamora Montalbán Echeverría Arizmendi Quiñones Villanueva"
    ),
    streets=_lines(
        "Calle Mayor, Calle de Alcalá, Avenida de la Constitución, Plaza de España, Paseo del Prado, "
        "Calle del Río, Camino Viejo, Ronda de Atocha"
    ),
    towns=(
        ("Madrid", "Madrid", "28"),
        ("Sevilla", "Andalucía", "41"),
        ("Cáceres", "Extremadura", "10"),
        ("León", "León", "24"),
    ),
    country="España",
    calling_code="34",
    area_codes=_words("91 95 92 98"),
    salutations=("Sra.", "Sr."),
)
POLISH = Culture(
    share=10,
    women=_words("Katarzyna Małgorzata Agnieszka Zofia Łucja Żaneta Elżbieta Bożena Grażyna Wiesława Hanna Jadwiga"),
    men=_words("Tomasz Łukasz Paweł Michał Grzegorz Krzysztof Wojciech Zbigniew Mieczysław Stanisław Jacek Bartłomiej"),
    surnames=_words(
        "Nowak Wójcik Mazur Krawczyk Zając Król Wróbel Pawlak Dudek Stępień Górski Sikora Baran Szewczyk "
        "Pietrzak Wiśniewski "
        "Kołodziej Gąsior Szczepański Jabłoński Kaźmierczak Przybylski Świątek Żurek Błaszczyk Cieślak "
        "Ostrowski Zieliński"
    ),
    streets=_lines(
        "ul. Długa, ul. Mickiewicza, ul. Świętojańska, al. Niepodległości, ul. Polna, ul. Kościuszki, ul. Łąkowa"
    ),
    towns=(
        ("Warszawa", "Mazowieckie", "00"),
        ("Łódź", "Łódzkie", "90"),
        ("Kraków", "Małopolskie", "30"),
        ("Gdańsk", "Pomorskie", "80"),
    ),
    country="Polska",
    calling_code="48",
    area_codes=_words("22 42 12 58"),
    salutations=("Pani", "Pan"),
)
NORDIC = Culture(
    share=7,
    women=_words("Astrid Ingrid Sigrid Åse Bjørk Solveig Frøya Linnéa Maja Tuva Kirsten Ragnhild"),
    men=_words("Lars Søren Håkon Øyvind Jørgen Åke Mårten Torbjörn Kåre Anders Nils Sven"),
    surnames=_words(
        "Jensen Nielsen Sørensen Andersson Lindqvist Håkansson Ødegård Bergström Sjöberg Kjær Nygård Møller "
        "Åkesson Lund "
        "Thorvaldsen Østergaard Hägglund Rasmussen Dahl Fjeld"
    ),
    streets=_lines("Storgatan, Nørregade, Kungsgatan, Strandvejen, Skolegata, Vestergade, Drottninggatan"),
    towns=(
        ("København", "Hovedstaden", "21"),
        ("Malmö", "Skåne", "21"),
        ("Tromsø", "Troms", "90"),
        ("Århus", "Midtjylland", "80"),
    ),
    country="Danmark",
    calling_code="45",
    area_codes=_words("33 86 40 77"),
    salutations=("Fru", "Hr."),
    postcode_digits=4,
)
GREEK = Culture(
    share=3,
    women=_words("Ελένη Μαρία Αικατερίνη Δήμητρα Σοφία Αναστασία"),
    men=_words("Γιώργος Δημήτρης Νίκος Κωνσταντίνος Ιωάννης Παναγιώτης"),
    surnames=_words(
        "Παπαδόπουλος Γεωργίου Οικονόμου Νικολαΐδης Αγγελόπουλος Καραγιάννης Βασιλείου Δημητρίου Μακρής Ζαχαρίου"
    ),
    streets=_lines("Ερμού, Πατησίων, Ακαδημίας, Εγνατία, Σταδίου"),
    towns=(("Αθήνα", "Αττική", "10"), ("Θεσσαλονίκη", "Μακεδονία", "54")),
    country="Ελλάδα",
    calling_code="30",
    area_codes=_words("21 231"),
    salutations=("Κα", "Κος"),
    latin=False,
)
CYRILLIC = Culture(
    share=3,
    women=_words("Екатерина Ольга Наталья Йорданка Светлана Анастасия"),
    men=_words("Дмитрий Сергей Николай Александър Йордан Георги"),
    surnames=_words(
        "Иванов Петров Сидоренко Димитров Соколов Коваленко Николов Шевченко Тодоров Мельник Кузнецов Василев"
    ),
    streets=_lines("бул. Витоша, ул. Шипка, ул. Раковски, бул. Левски"),
    towns=(("София", "София-град", "10"), ("Пловдив", "Пловдив", "40")),
    country="България",
    calling_code="359",
    area_codes=_words("2 32"),
    salutations=("Г-жа", "Г-н"),
    postcode_digits=4,
    latin=False,
)
CHINESE = Culture(
    share=3,
    women=_words("秀英 丽娟 雅婷 美玲 静怡 晓燕"),
    men=_words("伟 建国 志明 俊杰 浩然 文博"),
    surnames=_words("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙"),
    streets=_lines("南京路, 中山路, 人民大道, 解放路"),
    towns=(("上海", "上海", "20"), ("北京", "北京", "10")),
    country="中国",
    calling_code="86",
    area_codes=_words("21 10"),
    salutations=("女士", "先生"),
    postcode_digits=6,
    latin=False,
)
CULTURES = (GERMAN, ENGLISH, FRENCH, SPANISH, POLISH, NORDIC, GREEK, CYRILLIC, CHINESE)

COMPANY_WORDS = _words(
    "Nordlicht Hafenkante Bergblick Kastanie Silberpfeil Fairway Brightwater Oakridge Lumière Belvedere Castellana "
    "Solidar Wisła Bursztyn Polaris Aurora Meridian Vantage Keystone Harbour Summit Granit Morgentau Zephyr Cobalt"
)
COMPANY_KINDS = _words("Logistik Design Textil Maschinenbau Consulting Foods Media Energy Optik Travel Werkzeuge Print")
COMPANY_FORMS = _words("GmbH AG Ltd S.A. S.L. A/S")
MAIL_HOSTS = _words("example.com example.org example.net post.example mail.example")
TITLES = _lines(
    "Head of Marketing, Buyer, Office Manager, Managing Director, Sales Representative, Engineer, Accountant, "
    "Project Lead, Assistant, Head of Purchasing, Product Manager, Quality Officer"
)
CAMPAIGNS = _lines(
    "Autumn catalogue, Winter sale, Trade fair invitation, Spring collection, Customer survey, Summer preview"
)
